import { MessageWriter } from '../../wire/http1/writer.ts';

/** A head of the greatest size we take, written anew, and one read's worth of body beside it. */
export const OUTPUT_BYTES = 224 * 1024;
export const GREATEST_HEAD_BYTES = 96 * 1024;
/** Bodies up to this size leave together with their head in one write. */
export const COALESCED_BYTES = 32 * 1024;

/**
 * What goes to a client is put together here, one client at a time in a thread, and leaves in one write when all
 * that one read brought has been worked off: head and body together, pipelined answers together.
 */
export class Output {
  writer = new MessageWriter(OUTPUT_BYTES);
  owner: OutputOwner | null = null;

  /** For more bytes of `owner`; what another client has left is sent first. */
  take(owner: OutputOwner): MessageWriter {
    if (this.owner !== owner) {
      this.owner?.flush();
      this.owner = owner;
    }
    return this.writer;
  }

  /** The same with room for `wanted` bytes. */
  withRoom(owner: OutputOwner, wanted: number): MessageWriter {
    if (this.take(owner).room < wanted) owner.flush();
    if (this.take(owner).room < wanted) this.writer = new MessageWriter(wanted);
    return this.writer;
  }
}

export interface OutputOwner {
  flush(): void;
}
