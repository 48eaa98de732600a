import { createHash } from 'node:crypto';
import { ListenSocket } from '../../../src/os/listen-socket.ts';
import { SocketStream, type StreamOwner } from '../../../src/os/socket-stream.ts';
import { HOST, type Stage } from './stage.ts';

/** One end of a connection, which writes down all that it sees and what its calls return. */
export class End implements StreamOwner {
  readonly log: string[] = [];
  stream!: SocketStream;
  received = 0;
  isOver = false;
  connected = false;
  ended = false;
  writables = 0;
  readonly #hash = createHash('sha256');
  #run = 0;

  onBytes(bytes: Buffer, end: number): void {
    this.#hash.update(bytes.subarray(0, end));
    this.received += end;
    this.#run += end;
  }

  onEnd(): void {
    this.ended = true;
    this.say('end');
  }

  onWritable(): void {
    this.writables += 1;
    this.say('writable');
  }

  onConnect(): void {
    this.connected = true;
    this.say('connect');
  }

  onClosed(code: string): void {
    this.isOver = true;
    this.say(`closed ${code}`.trim());
  }

  onFault(error: unknown): void {
    this.say(`fault ${error}`);
  }

  /** Reads are counted together: how bytes are cut is nobody's promise. */
  say(what: string): void {
    if (this.#run > 0) this.log.push(`${this.#run} bytes`);
    this.#run = 0;
    this.log.push(what);
  }

  write(bytes: string | Uint8Array): this {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const length = buffer.length;
    this.say(`write ${length}: ${this.stream.write(buffer) ? 'taken' : 'waits'}`);
    return this;
  }

  writeAll(chunks: readonly Uint8Array[]): this {
    this.say(
      `write ${chunks.map(({ length }) => length).join('+')}: ${this.stream.writeAll(chunks) ? 'taken' : 'waits'}`,
    );
    return this;
  }

  /** All that was seen, and a digest of the bytes. */
  account(): readonly string[] {
    this.say(
      `closed: ${this.stream.isClosed}, writing: ${this.stream.writing}, paused: ${this.stream.paused}`,
    );
    return [...this.log, this.#hash.copy().digest('hex').slice(0, 16)];
  }
}

export interface Listening {
  readonly socket: ListenSocket;
  readonly port: number;
  readonly accepted: End[];
}

export async function listen(
  { system, until }: Stage,
  {
    port = 0,
    reusePort = false,
    active = true,
  }: { port?: number; reusePort?: boolean; active?: boolean } = {},
): Promise<Listening> {
  const accepted: End[] = [];
  const socket = new ListenSocket(
    system,
    { port, address: HOST, reusePort },
    (stream) => {
      const end = new End();
      end.stream = stream;
      stream.owner = end;
      accepted.push(end);
    },
    (error) => {
      throw error;
    },
  );
  let bound = -1;
  let failed: unknown = null;
  socket.open().then(
    (number) => {
      bound = number;
    },
    (error) => {
      failed = error;
    },
  );
  await until(() => bound !== -1 || failed !== null);
  if (failed !== null) throw failed;
  if (active) socket.activate();
  return { socket, port: bound, accepted };
}

export function connect({ system }: Pick<Stage, 'system'>, port: number): End {
  const end = new End();
  end.stream = SocketStream.connecting(system, HOST, port, end);
  return end;
}

export interface Pair {
  readonly client: End;
  readonly server: End;
  readonly listening: Listening;
}

/** Two ends that have connected. */
export async function pair(stage: Stage): Promise<Pair> {
  const listening = await listen(stage);
  const client = connect(stage, listening.port);
  await stage.until(() => client.connected && listening.accepted.length === 1);
  return { client, server: listening.accepted[0]!, listening };
}
