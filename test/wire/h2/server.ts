import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import type { Http2Local } from '../../../src/wire/h2/connection-owner.ts';
import { RESPONSE_HEADS } from '../../../src/wire/http1/head-parser.ts';
import { EchoOwner } from './echo-owner.ts';
import { type Frame, framesOf, PREFACE, SETTINGS_ACK, settings } from './frames.ts';
import { MemoryOutput } from './memory-output.ts';

export const LOCAL: Http2Local = {
  maxConcurrentStreams: 10,
  streamWindowBytes: 65_535,
  connectionWindowBytes: 65_535,
  connectProtocol: false,
  heads: RESPONSE_HEADS,
};

/** An echo server in memory, spoken to in frames made by hand. */
export class Server {
  readonly output = new MemoryOutput();
  readonly owner: EchoOwner;
  readonly connection: Http2Connection;
  now = 1000;

  constructor(local: Partial<Http2Local> = {}, greeting: Buffer | string = 'hello') {
    this.owner = new EchoOwner(greeting);
    this.connection = new Http2Connection(
      'server',
      { ...LOCAL, ...local },
      this.owner,
      this.output,
      this.now,
    );
    this.owner.connection = this.connection;
    this.connection.begin();
  }

  /** With its handshake behind it: what the server said in it is left out. */
  static ready(local: Partial<Http2Local> = {}, greeting: Buffer | string = 'hello'): Server {
    const server = new Server(local, greeting);
    server.send(PREFACE, settings(), SETTINGS_ACK);
    return server;
  }

  /** What the server says to all that. */
  send(...parts: Buffer[]): Frame[] {
    const bytes = Buffer.concat(parts);
    this.connection.receive(bytes, 0, bytes.length, this.now);
    return this.read();
  }

  read(): Frame[] {
    const frames = framesOf(this.output.take());
    this.connection.writable();
    return frames;
  }
}
