/**
 * What makes a message of HTTP/2 malformed besides what holds for both versions (RFC 9113 sections 8.1 to 8.3): the
 * stream ends with PROTOCOL_ERROR, or gets the status.
 */
export const MALFORMED_HTTP2 = {
  uppercase_field_name: 400,
  unknown_pseudo_field: 400,
  repeated_pseudo_field: 400,
  missing_pseudo_field: 400,
  /** After a regular field, in a trailer section, or of an answer in a request. */
  misplaced_pseudo_field: 400,
  /** A field that is about one connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
  connection_field: 400,
  /** TE may say `trailers` and nothing else. */
  invalid_te: 400,
  /** Neither http nor https. */
  invalid_scheme: 400,
  /** `:protocol` is no token, or not that of a CONNECT (RFC 8441 section 4). */
  invalid_protocol: 400,
} as const;

/**
 * Why a message was refused, with the consequence: the status that a server answers. A proxy answers 502 for any
 * fault of a backend. The connection is closed in every case, since the next message's start is in doubt.
 */
export const FAULTS = {
  invalid_method: 400,
  invalid_target: 400,
  request_line_too_long: 414,
  invalid_version: 400,
  version_not_supported: 505,
  invalid_line_end: 400,
  invalid_field_name: 400,
  invalid_field_value: 400,
  /** `Content_Length`, `Transfer.Encoding`: whoever maps odd characters to one takes them for the real one. */
  framing_near_miss: 400,
  /** Where the listener refuses names that CGI cannot tell from those with `-`. */
  underscore_in_field_name: 400,
  invalid_connection: 400,
  /** Connection names a field that is meant for every recipient (RFC 9110 section 7.6.1). */
  protected_connection_option: 400,
  /** Leading space: obs-fold, or space between the start line and the first field (RFC 9112 section 2.2, 5.2). */
  folded_line: 400,
  too_many_fields: 431,
  fields_too_large: 431,
  missing_host: 400,
  repeated_host: 400,
  invalid_host: 400,
  host_conflict: 400,
  invalid_content_length: 400,
  repeated_content_length: 400,
  content_length_with_transfer_encoding: 400,
  invalid_transfer_encoding: 400,
  transfer_encoding_in_http_1_0: 400,
  invalid_expectation: 417,
  invalid_status: 400,
  invalid_path: 400,
  /** These three where the listener's settings refuse what others take. */
  escaped_slash_in_path: 400,
  double_slash_in_path: 400,
  dot_segment_in_path: 400,
  invalid_chunk_size: 400,
  invalid_chunk_extension: 400,
  chunk_extension_too_long: 400,
  invalid_chunk_end: 400,
  invalid_trailer: 400,
  trailer_too_large: 431,
  ...MALFORMED_HTTP2,
} as const;

export type Fault = keyof typeof FAULTS;
