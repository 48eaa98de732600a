/** Where a connection that somebody passed on comes from, and where it was meant to go. */
export interface ProxiedConnection {
  /** IP addresses in their one spelling (`formatAddress`). */
  readonly sourceAddress: string;
  /** 0: not known. */
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** Why bytes are no PROXY protocol header. The consequence is always the same: the connection is closed, unanswered. */
export const PROXY_PROTOCOL_FAULTS = [
  /** They begin neither as version 1 nor as version 2 does. */
  'no_header',
  /** Version 1: not exactly the line of the specification. */
  'malformed_line',
  /** Version 1: no line end within 107 bytes. */
  'line_too_long',
  /** Version 2: another version, command, family or transport than there are. */
  'unknown_kind',
  /** Version 2: longer than MOST_V2_BYTES. */
  'header_too_long',
  /** Version 2: shorter than the addresses it says it has. */
  'missing_addresses',
  /** Version 2: the extensions do not fill their place exactly. */
  'malformed_extension',
  /** Version 2: PP2_TYPE_CRC32C says that bytes have changed on the way. */
  'checksum_mismatch',
] as const;

export type ProxyProtocolFault = (typeof PROXY_PROTOCOL_FAULTS)[number];

export type DecodedHeader =
  /** All bytes so far fit; more are needed. */
  | { readonly outcome: 'more' }
  | { readonly outcome: 'failed'; readonly fault: ProxyProtocolFault }
  | {
      readonly outcome: 'done';
      /** Bytes of the header. */
      readonly length: number;
      readonly version: 1 | 2;
      /** Null where the header tells of no IP address: the connection is its sender's own. */
      readonly connection: ProxiedConnection | null;
    };

export const MORE: DecodedHeader = { outcome: 'more' };

export function failed(fault: ProxyProtocolFault): DecodedHeader {
  return { outcome: 'failed', fault };
}
