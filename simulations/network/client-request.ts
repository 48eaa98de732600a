import type { Prng } from '../prng.ts';
import type { Manners } from './client.ts';
import type { Ledger, RequestEntry } from './ledger.ts';
import { pattern } from './pattern.ts';

/** Draws a request, enters it into the ledger and writes it. */
export function writeRequest(
  ledger: Ledger,
  prng: Prng,
  options: {
    readonly client: string;
    readonly cluster: string;
    readonly manners: Manners;
    readonly plain: boolean;
    readonly last: boolean;
  },
): { readonly entry: RequestEntry; readonly bytes: Buffer } {
  const { client, cluster, manners, plain, last } = options;
  const withBody = !plain && prng.chance(manners.body);
  const method = withBody ? prng.pick(['POST', 'PUT'] as const) : prng.chance(0.1) ? 'HEAD' : 'GET';
  const bodyLength = withBody ? prng.below(prng.chance(0.7) ? 300 : manners.mostBytes) : 0;
  const entry = ledger.open({ client, method, cluster, bodyLength });
  const chunked = withBody && prng.chance(0.5);
  const framing = chunked
    ? 'Transfer-Encoding: chunked\r\n'
    : withBody
      ? `Content-Length: ${bodyLength}\r\n`
      : '';
  const close = last && prng.chance(0.5) ? 'Connection: close\r\n' : '';
  const head = Buffer.from(
    `${method} /${cluster.split('/')[1]}/${entry.id} HTTP/1.1\r\nHost: shop.test\r\nX-Request: ${entry.id}\r\n` +
      `X-Length: ${bodyLength}\r\n${framing}${close}\r\n`,
    'latin1',
  );
  const body = pattern(entry.id, 0, bodyLength);
  return { entry, bytes: Buffer.concat([head, ...(chunked ? chunks(body, prng) : [body])]) };
}

function chunks(body: Buffer, prng: Prng): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = Math.min(body.length - at, 1 + prng.below(Math.max(200, body.length)));
    parts.push(
      Buffer.from(`${length.toString(16)}\r\n`),
      body.subarray(at, at + length),
      Buffer.from('\r\n'),
    );
    at += length;
  }
  parts.push(Buffer.from('0\r\n\r\n'));
  return parts;
}
