import { FAULTS, type Fault } from '../http1/fault.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Fault } from './http2-fault.ts';
import type { Http2Stream } from './stream.ts';

const MALFORMED = 400;

/** Else the head is whole and well, but too large, or against a setting of the listener: that is answered. */
function isMalformed(fault: Fault | null): boolean {
  return fault !== null && FAULTS[fault] === MALFORMED && fault !== 'underscore_in_field_name';
}

/** What of a request's head makes a reset of it (RFC 9113 section 8.1.1); null: nothing. Concludes the block. */
export function requestFault(
  block: HeaderBlock,
  ended: boolean,
  isSelfDependent: boolean,
  takesConnectProtocol: boolean,
): Http2Fault | null {
  if (isSelfDependent) return 'self_dependency';
  block.conclude('request', ended);
  if (isMalformed(block.fault)) return 'malformed_head';
  if (block.protocol !== '' && !takesConnectProtocol) return 'unexpected_protocol';
  return ended && block.framing.contentLength > 0 ? 'content_length_mismatch' : null;
}

/** The same of an answer's; an interim one may not end the stream, and 101 is not there (section 8.6). */
export function answerFault(
  stream: Http2Stream,
  block: HeaderBlock,
  ended: boolean,
  isSelfDependent: boolean,
): Http2Fault | null {
  if (isSelfDependent) return 'self_dependency';
  block.conclude('response', ended);
  const { status } = block;
  if (block.fault !== null || status === 101 || (status < 200 && ended)) return 'malformed_head';
  if (!ended || stream.isBodiless || status === 304) return null;
  return block.framing.contentLength > 0 ? 'content_length_mismatch' : null;
}

/** The same of trailers, which end the stream, and the body before them. */
export function trailerFault(
  stream: Http2Stream,
  block: HeaderBlock,
  ended: boolean,
  isSelfDependent: boolean,
): Http2Fault | null {
  if (isSelfDependent) return 'self_dependency';
  if (!ended) return 'unexpected_head';
  block.conclude('trailer', true);
  if (block.fault !== null) return 'malformed_head';
  return stream.expectedBytes > 0 ? 'content_length_mismatch' : null;
}
