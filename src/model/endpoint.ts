/** One address of a cluster that answers requests. */
export interface Endpoint {
  readonly cluster: string;
  /** IPv4, IPv6 without brackets, or a DNS name. */
  readonly address: string;
  readonly port: number;
  /** 0 to 1,000,000; 0 gets no new requests. */
  readonly weight: number;
  /** False: known but not ready, gets no requests. */
  readonly ready: boolean;
  readonly zone: string;
  readonly nodeName: string;
}

/** `10.0.0.1:8080`, `[fd00::1]:8080`: unique within a cluster. */
export function endpointId(endpoint: { readonly address: string; readonly port: number }): string {
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}
