import assert from 'node:assert/strict';
import { RequestOracle } from '../wire/http1/llhttp-oracle.ts';
import { readStream } from '../wire/http1/stream.ts';
import type { RecordingBackend } from './recording-backend.ts';
import type { StrictMessage } from './strict-reader.ts';
import { readStrictly } from './strict-reader.ts';

/*
 * What has come to a backend that remembers every byte, read by three readers that share nothing: our codec, llhttp,
 * and RFC 9112 by regular expressions.
 */
const oracle = new RequestOracle();

const HOP_BY_HOP =
  /^(keep-alive|proxy-connection|te|trailer|http2-settings|transfer_encoding|content_length):/i;

export interface Arrived {
  readonly starts: readonly string[];
  readonly bodies: readonly string[];
  readonly cut: number;
  readonly messages: readonly StrictMessage[];
}

/** What has come to the backend, once all three readers have read the same. */
export async function arrivedAt(backend: RecordingBackend): Promise<Arrived> {
  const starts: string[] = [];
  const bodies: string[] = [];
  let cut = 0;
  const whole: StrictMessage[] = [];
  for (const text of backend.received) {
    const bytes = Buffer.from(text, 'latin1');
    const { messages, isCut } = readStrictly(text);
    const mine = readStream('request', bytes);
    const theirs = await oracle.read(bytes);
    const plain = messages.map((message) => ({ ...message, keepAlive: true }));
    const isUpgrade = messages.some(({ fields }) => fields.includes('Connection: Upgrade'));
    // An expectation, or a method of their own, is no matter of framing.
    const isKnown = messages.every(({ start }) => /^(GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) /.test(start));
    // RFC 9112 section 3.2: empty where HTTP/1.0 names no host. A listener of ours would not take that.
    const isNameless = messages.some(({ fields }) => fields.includes('Host: '));
    if (!isUpgrade && !isNameless) assert.deepEqual(mine.messages, plain, text);
    if (!isUpgrade && isKnown) assert.deepEqual(theirs.messages, plain, text);
    if (isCut) cut += 1;
    else if (!isUpgrade && !isNameless) assert.equal(mine.ending, 'clean');
    whole.push(...messages);
    for (const { start, fields, body } of messages) {
      for (const field of fields) assert.doesNotMatch(field, HOP_BY_HOP);
      starts.push(start);
      bodies.push(body);
    }
  }
  return { starts, bodies, cut, messages: whole };
}

/** For RecordingBackend: whole requests in what a connection has sent. */
export function countWhole(text: string): number {
  try {
    return readStrictly(text).messages.length;
  } catch {
    // The test that reads it afterwards says what is wrong.
    return 1;
  }
}
