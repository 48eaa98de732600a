import type { ClientHelloFault } from '../../wire/tls/client-hello-reader.ts';

/** Why a handshake came to nothing: `tls_handshake_failures{reason}`. */
export type HandshakeFailure =
  | ClientHelloFault
  /** It took too long. */
  | 'timeout'
  /** It had waited longest when there were too many. */
  | 'crowded_out'
  /** The client went away. */
  | 'closed'
  /** No listener, or no certificate, is for the name that was asked for. */
  | 'unknown_name'
  | 'version'
  /** No cipher, curve or signature that both take. */
  | 'cipher'
  | 'alpn'
  | 'client_certificate_missing'
  | 'client_certificate_invalid'
  /** The client did not like what it was shown: often our certificate. */
  | 'client_alert'
  | 'draining'
  | 'internal_error'
  | 'protocol';

const BY_CODE: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [/NO_APPLICATION_PROTOCOL/, 'alpn'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'client_certificate_missing'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|VERSION_TOO_HIGH|INAPPROPRIATE_FALLBACK/, 'version'],
  [/_ALERT_/, 'client_alert'],
  [/NO_SHARED_|NO_SUITABLE_|BAD_ECPOINT|BAD_KEY_SHARE/, 'cipher'],
];

/** From OpenSSL's code. */
export function handshakeFailure(code: string): HandshakeFailure {
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? 'protocol';
}

/** RFC 8446 section 6: level fatal, in a record of its own. */
export function alertRecord(description: number): Buffer {
  return Buffer.from([21, 3, 1, 0, 2, 2, description]);
}

export const ALERT_UNRECOGNIZED_NAME = 112;
export const ALERT_DECODE_ERROR = 50;
