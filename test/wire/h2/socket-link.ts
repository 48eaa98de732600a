import type { Duplex } from 'node:stream';
import type { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { FrameOutput } from '../../../src/wire/h2/frame-output.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';

const BLOCK_BYTES = 64 * 1024;

/** An engine on a stream of the runtime: what one turn brings leaves in one write. */
export class SocketLink implements FrameOutput {
  readonly #socket: Duplex;
  readonly #cut: (bytes: Buffer) => readonly Buffer[];
  #writer = new MessageWriter(BLOCK_BYTES);
  #connection: Http2Connection | null = null;
  #isDue = false;

  /** `cut` says in which pieces the engine gets what came. */
  constructor(socket: Duplex, cut: (bytes: Buffer) => readonly Buffer[] = (bytes) => [bytes]) {
    this.#socket = socket;
    this.#cut = cut;
  }

  start(connection: Http2Connection): void {
    this.#connection = connection;
    connection.begin();
    this.#socket.on('data', (bytes: Buffer) => {
      for (const piece of this.#cut(bytes)) connection.receive(piece, 0, piece.length, performance.now());
      if (connection.isClosed) this.close();
    });
    this.#socket.on('drain', () => connection.writable());
    this.#socket.on('end', () => this.close());
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => connection.end(8));
  }

  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  writer(room: number): MessageWriter {
    if (this.#writer.room < room) this.#flush();
    if (this.#writer.room < room) this.#writer = new MessageWriter(room);
    if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.#flush();
      });
    }
    return this.#writer;
  }

  /** What has been said still goes out. */
  close(): void {
    this.#flush();
    this.#socket.end();
  }

  #flush(): void {
    if (this.#writer.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return;
    const bytes = Buffer.from(this.#writer.written);
    this.#writer.length = 0;
    this.#socket.write(bytes);
    if (this.#connection?.isClosed === true) this.#socket.end();
  }
}
