import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Cluster } from '../../src/model/cluster.ts';
import { literals } from '../wire/h2/blocks.ts';
import { data, END_HEADERS, END_STREAM, frame, headers } from '../wire/h2/frames.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import { RawHttp2Client } from './raw-http2.ts';
import type { RecordedRequest, Recorder } from './recorded.ts';
import type { Http2Smuggling, Outcome } from './smuggling-http2-cases.ts';
import type { Http2Message } from './strict-http2.ts';

const GOOD = literals([':method: GET', ':scheme: http', ':authority: good', ':path: /good']);
const HEADERS = 1;
const CONTINUATION = 9;
const MOST_FRAME_BYTES = 16_384;

export const good = (id: number): Buffer => headers(id, END_HEADERS | END_STREAM, GOOD);

/** A real data plane before a backend, with gRPC-Web for `/web`. */
export function startBefore(port: number, protocol: Cluster['protocol']): Promise<Harness> {
  const web = rule({
    grpcWeb: true,
    matches: [{ path: { type: 'Exact', value: '/web' }, method: null, headers: [], queryParams: [] }],
  });
  return start({
    resources: [
      { kind: 'cluster', value: cluster({ protocol }) },
      { kind: 'endpoint', value: endpoint(port) },
      { kind: 'route', value: route({ rules: [web, rule()] }) },
    ],
  });
}

/** How a row's frames are made. */
export interface Making {
  /** Each frame in a read of its own, where the kernel lets it. */
  readonly isSplit: boolean;
  /** Frames of a head, or more. */
  readonly count: number;
  /** Of the literals of HPACK. */
  readonly pattern: 0 | 16 | 64;
  readonly isHuffman: boolean;
}

export const MAKINGS: readonly Making[] = [
  { isSplit: false, count: 1, pattern: 0, isHuffman: false },
  { isSplit: true, count: 1, pattern: 64, isHuffman: true },
  { isSplit: true, count: 3, pattern: 16, isHuffman: false },
];

function head(
  id: number,
  lines: readonly string[],
  ends: boolean,
  { count, pattern, isHuffman }: Making,
): Buffer {
  const block = literals(lines, pattern, isHuffman);
  const size = Math.min(MOST_FRAME_BYTES, Math.max(1, Math.ceil(block.length / count)));
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += size) {
    const flags = (at === 0 && ends ? END_STREAM : 0) | (at + size >= block.length ? END_HEADERS : 0);
    frames.push(frame(at === 0 ? HEADERS : CONTINUATION, flags, id, block.subarray(at, at + size)));
  }
  return Buffer.concat(frames);
}

function framesOf(row: Http2Smuggling, id: number, making: Making): Buffer[] {
  const { body, trailer } = row;
  const isWhole = body.length === 0 && trailer === undefined;
  const frames = [head(id, row.lines, isWhole, making)];
  for (const [index, piece] of body.entries()) {
    const ends = index === body.length - 1 && trailer === undefined && row.isOpen !== true;
    frames.push(data(id, ends ? END_STREAM : 0, Buffer.from(piece, 'latin1')));
  }
  if (trailer !== undefined) frames.push(head(id, trailer, true, making));
  if (row.more !== undefined) frames.push(row.more(id));
  return frames;
}

function outcomeOf(message: Http2Message | null): Outcome {
  if (message === null || (!message.isEnded && message.resetCode === null)) return 'goaway';
  if (!message.isEnded) return 'reset';
  const reason = message.fields.find((field) => field.startsWith('x-novaedge-reason: '));
  return reason === undefined ? 'passes' : { reason: reason.slice('x-novaedge-reason: '.length) };
}

export async function goodAnswer(client: RawHttp2Client, id: number): Promise<void> {
  const message = await client.over(id);
  assert.deepEqual([message?.pseudo.get(':status'), message?.body], ['200', 'ok'], `good on ${id}`);
}

/** Good requests before, in the same read or in one of its own, and behind: on a new connection where this one went. */
export async function run(
  row: Http2Smuggling,
  making: Making,
  port: number,
  recorder: Recorder,
): Promise<void> {
  await recorder.forget();
  let goods = 1;
  const isHead = row.lines.includes(':method: HEAD');
  const client = new RawHttp2Client(port, (id) => isHead && id === 3);
  try {
    if (making.isSplit) {
      goods += 1;
      client.send(good(1));
      await goodAnswer(client, 1);
      for (const piece of framesOf(row, 3, making)) {
        client.send(piece);
        await turn();
      }
      client.send(good(5));
    } else client.send(...framesOf(row, 3, making), good(5));
    const outcome = outcomeOf(await client.over(3));
    assert.ok(
      row.outcomes.some((one) => JSON.stringify(one) === JSON.stringify(outcome)),
      `${JSON.stringify(outcome)}, not ${JSON.stringify(row.outcomes)}`,
    );
    await client.over(5);
    if (client.goAwayCode !== null || client.closed) {
      assert.ok(row.outcomes.includes('goaway'), 'the connection went');
      const next = new RawHttp2Client(port);
      next.send(good(1));
      await goodAnswer(next, 1);
      next.close();
      // The good request behind may have come through before.
      goods = -1;
    } else {
      await goodAnswer(client, 5);
      // As many at once as connections may be left over.
      client.send(good(7), good(9));
      goods += 2;
      for (const id of [7, 9]) await goodAnswer(client, id);
    }
    await check(row, outcome, goods, recorder);
  } finally {
    client.close();
  }
}

const isGood = ({ target }: RecordedRequest): boolean => target === '/good';

async function check(
  row: Http2Smuggling,
  outcome: Outcome,
  goods: number,
  recorder: Recorder,
): Promise<void> {
  const { connections, cut } = await recorder.recorded();
  const requests = connections.flat();
  const others = requests.filter((request) => !isGood(request));
  if (goods !== -1) assert.equal(requests.length - others.length, goods, 'good requests at the backend');
  for (const { method, fields, body } of requests.filter(isGood))
    assert.deepEqual([method, fields[0], body], ['GET', 'host: good', '']);
  if (row.mayCut !== true) assert.equal(cut, 0, 'a part of a refused message has reached the backend');
  if (row.seen === null)
    assert.deepEqual(others, [], 'something of a refused message was taken for a request');
  if (outcome === 'passes') assert.equal(others.length, 1);
  else assert.ok(others.length <= 1, JSON.stringify(others));
  for (const { method, target, fields, body, trailer } of others) {
    const isTunnel = recorder.isHttp2 && method === 'CONNECT';
    assert.equal(`${isTunnel ? 'GET' : method} ${target}`, row.seen);
    assert.equal(body, row.seenBody ?? '');
    for (const field of row.has ?? []) assert.ok(fields.includes(field), `${field} in ${fields.join(' | ')}`);
    if (row.hasTrailer !== undefined) assert.deepEqual(trailer, row.hasTrailer);
    if (row.lacks !== undefined) for (const field of [...fields, body]) assert.doesNotMatch(field, row.lacks);
  }
  // What a backend may leave unread of such a request, it may take for the next one.
  if (row.isLast === true && !recorder.isHttp2)
    for (const all of connections) assert.ok(all.slice(0, -1).every(isGood), 'its connection is used again');
}
