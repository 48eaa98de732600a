/** Whose memory bytes are that are passed on; a SocketStream is one for what it has read. */
export interface ByteSource {
  /** A part that can outlast the moment, once `give` is called. */
  lasting(bytes: Buffer, start: number, end: number): Buffer;
  /** A write still needs them. */
  give(bytes: Buffer): void;
  /** They are overwritten by the next read of any stream. */
  isShared(bytes: Buffer): boolean;
}

/** Bytes that nobody else writes to. */
export const OWN_MEMORY: ByteSource = {
  lasting: (bytes, start, end) => bytes.subarray(start, end),
  give: () => {},
  isShared: () => false,
};
