import type { MessageWriter } from '../../wire/http1/writer.ts';

/**
 * A request as far as it is there, for whoever begins to send it.
 *
 *     | block: head, and body as far as it fits |  held: body that came before there was a connection  |  last
 */
export interface RequestParts {
  /** As HTTP/1.1 has it: the head up to `headLength`, behind it body, in chunks where `isChunked`. */
  readonly block: MessageWriter;
  readonly headLength: number;
  readonly isChunked: boolean;
  /** The client takes trailers, and has said so (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean;
  /** Pieces of body, not framed. Whoever asks has them: they are there no longer. */
  takeHeld(): readonly Buffer[];
  /** The last chunk with its trailer section, where the block has none and the body is complete. */
  readonly last: Buffer | null;
  /** All of the body is there. */
  readonly ended: boolean;
}
