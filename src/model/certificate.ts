/** A certificate with its key, from a Secret or files; named by listeners (to show to clients) and clusters (mTLS). */
export interface Certificate {
  /** `namespace/name` of the Secret. */
  readonly name: string;
  /** PEM: own certificate first, then intermediate ones. */
  readonly chain: string;
  /** PEM. Never in a log, journal, dump or error. */
  readonly privateKey: string;
  /** Answer of the authority that it has not been revoked (RFC 6960), base64 of its DER; or empty. */
  readonly ocspStaple: string;
  /** Of the first certificate, in ms since the epoch. */
  readonly notAfter: number;
}
