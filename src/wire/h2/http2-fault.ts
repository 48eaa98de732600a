import { ERROR_CODE } from './error-code.ts';

/**
 * Why a stream was reset or a connection ended by us, with the code that the peer is told. The names are labels of
 * metrics and stand in logs.
 */
export const HTTP2_FAULTS = {
  invalid_preface: ERROR_CODE.PROTOCOL_ERROR,
  /** The first frame has to be SETTINGS (RFC 9113 section 3.4). */
  settings_missing: ERROR_CODE.PROTOCOL_ERROR,
  frame_too_large: ERROR_CODE.FRAME_SIZE_ERROR,
  invalid_frame_size: ERROR_CODE.FRAME_SIZE_ERROR,
  invalid_padding: ERROR_CODE.PROTOCOL_ERROR,
  /** A frame of a connection on a stream, or the other way round. */
  invalid_stream_id: ERROR_CODE.PROTOCOL_ERROR,
  /** A frame on a stream that has not been opened. */
  idle_stream: ERROR_CODE.PROTOCOL_ERROR,
  closed_stream: ERROR_CODE.STREAM_CLOSED,
  self_dependency: ERROR_CODE.PROTOCOL_ERROR,
  unexpected_continuation: ERROR_CODE.PROTOCOL_ERROR,
  continuation_missing: ERROR_CODE.PROTOCOL_ERROR,
  unexpected_push_promise: ERROR_CODE.PROTOCOL_ERROR,
  invalid_setting: ERROR_CODE.PROTOCOL_ERROR,
  invalid_initial_window: ERROR_CODE.FLOW_CONTROL_ERROR,
  unexpected_settings_ack: ERROR_CODE.PROTOCOL_ERROR,
  settings_timeout: ERROR_CODE.SETTINGS_TIMEOUT,
  empty_window_update: ERROR_CODE.PROTOCOL_ERROR,
  window_overflow: ERROR_CODE.FLOW_CONTROL_ERROR,
  window_exceeded: ERROR_CODE.FLOW_CONTROL_ERROR,
  compression_error: ERROR_CODE.COMPRESSION_ERROR,
  /** A second head without END_STREAM, or a head after the trailers. */
  unexpected_head: ERROR_CODE.PROTOCOL_ERROR,
  /** The head is against RFC 9113 section 8; its own `fault` says how. */
  malformed_head: ERROR_CODE.PROTOCOL_ERROR,
  /** More or fewer bytes of DATA than content-length says, or DATA where there can be none (section 8.1.1). */
  content_length_mismatch: ERROR_CODE.PROTOCOL_ERROR,
  /** DATA before the head of an answer. */
  data_before_head: ERROR_CODE.PROTOCOL_ERROR,
  /** `:protocol` where SETTINGS_ENABLE_CONNECT_PROTOCOL was not offered (RFC 8441 section 3). */
  unexpected_protocol: ERROR_CODE.PROTOCOL_ERROR,
  too_many_streams: ERROR_CODE.REFUSED_STREAM,
  /** The other names are of attacks: see abuse-limits.ts. */
  rapid_reset: ERROR_CODE.ENHANCE_YOUR_CALM,
  continuation_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  header_block_too_large: ERROR_CODE.ENHANCE_YOUR_CALM,
  head_bomb: ERROR_CODE.ENHANCE_YOUR_CALM,
  /** A frame that does not end, or a head whose CONTINUATIONs do not come. */
  frame_timeout: ERROR_CODE.ENHANCE_YOUR_CALM,
  ping_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  settings_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  priority_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  window_update_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  tiny_data_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  empty_data_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  reset_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  unknown_frame_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  refused_stream_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  interim_flood: ERROR_CODE.ENHANCE_YOUR_CALM,
  tiny_windows: ERROR_CODE.ENHANCE_YOUR_CALM,
  unread_answers: ERROR_CODE.ENHANCE_YOUR_CALM,
} as const;

export type Http2Fault = keyof typeof HTTP2_FAULTS;
