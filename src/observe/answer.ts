import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ErrorAnswer } from './admin-answers.ts';
import { redactingReplacer } from './secrets.ts';

const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** What a handler gives back; `write` sends it. */
export type Answer =
  | { readonly type: 'text'; readonly status: number; readonly contentType: string; readonly body: string }
  | {
      readonly type: 'json';
      readonly status: number;
      readonly body: object;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** An object with one long list, written item by item so that a large answer does not hold up the thread. */
  | {
      readonly type: 'list';
      readonly fields: Readonly<Record<string, unknown>>;
      readonly name: string;
      readonly items: Iterable<unknown>;
    };

export function text(status: number, body: string): Answer {
  return { type: 'text', status, contentType: 'text/plain; charset=utf-8', body };
}

export function json(body: object): Answer {
  return { type: 'json', status: 200, body };
}

export function failure(
  status: number,
  body: ErrorAnswer,
  headers?: Readonly<Record<string, string>>,
): Answer {
  return { type: 'json', status, body, ...(headers === undefined ? {} : { headers }) };
}

/** Sends the answer, without its body to HEAD. Secrets are redacted in all JSON. */
export async function write(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  if (answer.type === 'list') return writeList(request, response, answer);
  const body = answer.type === 'text' ? answer.body : `${JSON.stringify(answer.body, redactingReplacer)}\n`;
  response.writeHead(answer.status, {
    ...COMMON_HEADERS,
    'content-type': answer.type === 'text' ? answer.contentType : 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(answer.type === 'json' ? answer.headers : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function writeList(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Extract<Answer, { type: 'list' }>,
): Promise<void> {
  response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'application/json' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(
    Readable.from(listChunks(answer), { objectMode: false, highWaterMark: CHUNK_CHARACTERS }),
    response,
  );
}

const CHUNK_CHARACTERS = 64 * 1024;

function* listChunks(answer: Extract<Answer, { type: 'list' }>): Generator<string> {
  let chunk = `${JSON.stringify(answer.fields, redactingReplacer).slice(0, -1)}`;
  chunk += `${chunk === '{' ? '' : ','}${JSON.stringify(answer.name)}:[`;
  let separator = '\n';
  for (const item of answer.items) {
    chunk += `${separator}${JSON.stringify(item, redactingReplacer)}`;
    separator = ',\n';
    if (chunk.length >= CHUNK_CHARACTERS) {
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}\n]}\n`;
}
