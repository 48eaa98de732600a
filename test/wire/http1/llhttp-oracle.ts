import type { IncomingMessage, Server } from 'node:http';
import { createServer, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { Message } from './stream.ts';

export interface OracleReading {
  readonly messages: readonly Message[];
  /** llhttp's code (`HPE_…`), or empty. */
  readonly code: string;
  /** The last message changed the protocol: nothing after its head has been read. */
  readonly upgraded: boolean;
}

/** One end of a connection without a kernel: what is pushed is read at once. */
class Wire extends Duplex {
  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** Everything that `node:http` does for bytes that are there happens in ticks and microtasks; two turns are enough. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

interface Draft {
  message: Message;
  body: string;
  whole: boolean;
}

function pairs(raw: readonly string[]): string[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${raw[index + 1]}`] : []));
}

function follow(drafts: Draft[], incoming: IncomingMessage, start: string, keepAlive: boolean): Draft {
  const draft: Draft = {
    message: { start, fields: pairs(incoming.rawHeaders), body: '', trailer: [], keepAlive },
    body: '',
    whole: false,
  };
  drafts.push(draft);
  incoming.setEncoding('latin1');
  incoming.on('data', (part: string) => {
    draft.body += part;
  });
  incoming.on('error', () => {});
  incoming.on('end', () => {
    draft.whole = incoming.complete;
    draft.message = { ...draft.message, body: draft.body, trailer: pairs(incoming.rawTrailers) };
  });
  return draft;
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function wholeOnes(drafts: readonly Draft[]): Message[] {
  const first = drafts.findIndex((draft) => !draft.whole);
  return (first === -1 ? drafts : drafts.slice(0, first)).map((draft) => draft.message);
}

/** Reads streams of requests with `node:http`'s parser, as strict as it is by default. Host is not its business. */
export class RequestOracle {
  readonly #server: Server;
  #drafts: Draft[] = [];
  #code = '';
  #upgraded = false;

  constructor() {
    this.#server = createServer({
      requireHostHeader: false,
      joinDuplicateHeaders: false,
      insecureHTTPParser: false,
      maxHeaderSize: 128 * 1024,
      highWaterMark: 1 << 20,
    });
    this.#server.maxHeadersCount = 0;
    this.#server.setTimeout(0);
    this.#server.keepAliveTimeout = 0;
    const take = (incoming: IncomingMessage, keepAlive: boolean): Draft =>
      follow(this.#drafts, incoming, `${incoming.method} ${incoming.url} ${incoming.httpVersion}`, keepAlive);
    this.#server.on('request', (incoming, response) => {
      take(incoming, response.shouldKeepAlive);
      response.end();
    });
    this.#server.on('checkContinue', (incoming, response) => {
      take(incoming, response.shouldKeepAlive);
      response.end();
    });
    this.#server.on('checkExpectation', (incoming, response) => {
      take(incoming, response.shouldKeepAlive);
      response.end();
    });
    for (const event of ['upgrade', 'connect'] as const) {
      this.#server.on(event, (incoming: IncomingMessage, socket: Duplex) => {
        take(incoming, true).whole = true;
        this.#upgraded = true;
        socket.destroy();
      });
    }
    // The connection stays: what came before the error is still being handed out.
    this.#server.on('clientError', (error) => {
      if (this.#code === '') this.#code = codeOf(error);
    });
  }

  async read(bytes: Buffer): Promise<OracleReading> {
    this.#drafts = [];
    this.#code = '';
    this.#upgraded = false;
    const wire = new Wire();
    wire.on('error', () => {});
    this.#server.emit('connection', wire);
    wire.push(bytes);
    wire.push(null);
    await turn();
    wire.destroy();
    return { messages: wholeOnes(this.#drafts), code: this.#code, upgraded: this.#upgraded };
  }
}

/** Reads the answer to one request with `node:http`'s parser: the interim answers and the final one. */
export async function readAnswer(bytes: Buffer, method: string): Promise<OracleReading> {
  const drafts: Draft[] = [];
  let code = '';
  let upgraded = false;
  const wire = new Wire();
  wire.on('error', () => {});
  const outgoing = request({
    method,
    createConnection: () => wire,
    headers: { host: 'a', connection: 'keep-alive' },
    insecureHTTPParser: false,
    maxHeaderSize: 128 * 1024,
    joinDuplicateHeaders: false,
  });
  const start = (incoming: Pick<IncomingMessage, 'httpVersion' | 'statusCode' | 'statusMessage'>): string =>
    `${incoming.httpVersion} ${incoming.statusCode} ${incoming.statusMessage}`;
  outgoing.on('information', (information) => {
    drafts.push({
      message: {
        start: `${information.httpVersion} ${information.statusCode} ${information.statusMessage}`,
        fields: pairs(information.rawHeaders),
        body: '',
        trailer: [],
        keepAlive: true,
      },
      body: '',
      whole: true,
    });
  });
  outgoing.on('response', (incoming) => {
    follow(drafts, incoming, start(incoming), outgoing.shouldKeepAlive);
  });
  outgoing.on('upgrade', (incoming, socket) => {
    follow(drafts, incoming, start(incoming), true).whole = true;
    upgraded = true;
    socket.destroy();
  });
  outgoing.on('error', (error) => {
    code = codeOf(error);
  });
  outgoing.end();
  await turn();
  wire.push(bytes);
  wire.push(null);
  await turn();
  wire.destroy();
  return { messages: wholeOnes(drafts), code, upgraded };
}
