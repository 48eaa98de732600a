import type { Duplex } from 'node:stream';
import type { Case } from './case.ts';
import { Sender } from './case.ts';
import type { DeflateParameters } from './deflate.ts';
import { Deflation } from './deflate.ts';
import { Endpoint } from './endpoint.ts';
import { PING } from './frame.ts';
import type { Asked, Opened } from './hub.ts';

/** The endpoint takes messages up to this. */
export const MOST_MESSAGE_BYTES = 2_000_000;

/** All that the sender of cases (the tester) and the endpoint opposite saw of one connection. */
export interface Transcript {
  /** By case: what came back. */
  readonly answers: readonly (readonly string[])[];
  readonly testerSaw: readonly string[];
  readonly endpointSaw: readonly string[];
  readonly testerSent: Buffer;
  readonly endpointGot: Buffer;
  readonly endpointSent: Buffer;
  readonly testerGot: Buffer;
}

class Side {
  readonly sent: Buffer[] = [];
  readonly got: Buffer[] = [];
  readonly socket: Duplex;
  readonly endpoint: Endpoint;
  hasEnded = false;
  #wake: () => void = () => {};

  constructor(opened: Opened, role: 'client' | 'server', echoes: boolean, deflate: DeflateParameters | null) {
    this.socket = opened.socket;
    this.endpoint = new Endpoint({
      role,
      echoes,
      deflate,
      mostMessageBytes: MOST_MESSAGE_BYTES,
      send: (bytes) => this.write(bytes),
      end: () => this.socket.end(),
    });
    const receive = (bytes: Buffer): void => {
      this.got.push(Buffer.from(bytes));
      this.endpoint.receive(bytes);
      this.#wake();
    };
    if (opened.rest.length > 0) receive(opened.rest);
    this.socket.on('data', receive);
    this.socket.on('end', () => {
      this.hasEnded = true;
      this.endpoint.ended();
      this.#wake();
    });
    this.socket.on('close', () => {
      if (!this.hasEnded) this.endpoint.events.push('is cut');
      this.hasEnded = true;
      this.#wake();
    });
    this.socket.resume();
  }

  write(bytes: Buffer): void {
    this.sent.push(bytes);
    this.socket.write(bytes);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.hasEnded)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
let conversations = 0;

/** How a client opens a WebSocket, and where the server gets it: directly, or with a proxy in between. */
export interface Path {
  take(path: string): Promise<Asked>;
  /** `lines`: fields of the handshake beside its key and version. */
  open(path: string, lines: readonly string[]): Promise<Opened>;
}

/** Goes through the cases on one connection, from the client's or from the server's side. */
export async function converse(
  way: Path,
  from: 'client' | 'server',
  cases: readonly Case[],
): Promise<Transcript> {
  const { deflate } = cases[0]!;
  const offer = deflate === null ? [] : [`Sec-WebSocket-Extensions: ${extension(deflate)}`];
  conversations += 1;
  const path = `/${conversations}`;
  const serverAsked = way.take(path);
  const clientOpened = way.open(path, offer);
  const atServer = await serverAsked;
  atServer.accept(offer);
  const atClient = await clientOpened;
  const client = new Side(atClient, 'client', from === 'server', deflate);
  const server = new Side(atServer, 'server', from === 'client', deflate);
  const [tester, endpoint] = from === 'client' ? [client, server] : [server, client];
  const sender = new Sender(from, deflate === null ? null : Deflation.of(deflate, from));
  const answers: string[][] = [];
  for (const [index, row] of cases.entries()) {
    const before = tester.endpoint.events.length;
    await write(tester, sender.encode(row.sends), row.chop);
    if (row.ends === 'by the sender') tester.socket.end();
    if (row.ends !== 'no') {
      const { events } = tester.endpoint;
      await tester.until(() => events.slice(before).some((event, at) => event !== row.answers[at]));
      answers.push(events.slice(before));
      break;
    }
    // Whatever it makes of the case, it has done when it answers this.
    const fence = `fence ${index}`;
    tester.write(sender.encode([{ opcode: PING, payload: fence }]));
    const answered = `pong "${fence}"`;
    await tester.until(() => tester.endpoint.events.at(-1) === answered);
    const seen = tester.endpoint.events.slice(before);
    answers.push(seen.at(-1) === answered ? seen.slice(0, -1) : [...seen, 'no pong']);
    if (tester.hasEnded) break;
  }
  tester.socket.end();
  await tester.until(() => false);
  await endpoint.until(() => false);
  tester.socket.destroy();
  endpoint.socket.destroy();
  return {
    answers,
    testerSaw: tester.endpoint.events,
    endpointSaw: endpoint.endpoint.events,
    testerSent: Buffer.concat(tester.sent),
    endpointGot: Buffer.concat(endpoint.got),
    endpointSent: Buffer.concat(endpoint.sent),
    testerGot: Buffer.concat(tester.got),
  };
}

async function write(side: Side, bytes: Buffer, chop: number): Promise<void> {
  if (chop === 0) {
    side.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length; at += chop) {
    side.write(bytes.subarray(at, at + chop));
    await turn();
  }
}

function extension(parameters: DeflateParameters): string {
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
    parameters;
  return [
    'permessage-deflate',
    ...(serverNoContextTakeover ? ['server_no_context_takeover'] : []),
    ...(clientNoContextTakeover ? ['client_no_context_takeover'] : []),
    ...(serverMaxWindowBits < 15 ? [`server_max_window_bits=${serverMaxWindowBits}`] : []),
    ...(clientMaxWindowBits < 15 ? [`client_max_window_bits=${clientMaxWindowBits}`] : []),
  ].join('; ');
}

/** Cases that follow each other on one connection: up to `most`, the last of them may end it. */
export function connections(cases: readonly Case[], most = 25): Case[][] {
  const groups: Case[][] = [];
  const open = new Map<string, Case[]>();
  for (const row of cases) {
    // What is compressed by hand is not in the window that the sender refers to.
    const key = JSON.stringify([row.deflate, row.sends.some((sent) => 'deflate' in sent)]);
    let group = open.get(key);
    if (group === undefined) {
      group = [];
      open.set(key, group);
      groups.push(group);
    }
    group.push(row);
    if (row.ends !== 'no' || group.length === most) open.delete(key);
  }
  return groups;
}
