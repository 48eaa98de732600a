import type { Prng } from '../prng.ts';
import type { Manners } from './client.ts';
import type { Ledger, RequestEntry } from './ledger.ts';
import { pattern } from './pattern.ts';

export interface WrittenRequest {
  readonly entry: RequestEntry;
  readonly head: Buffer;
  readonly body: Buffer;
  /** The connection ends with its answer. */
  readonly isLast: boolean;
}

/** Draws a request, enters it into the ledger and writes it. */
export function writeRequest(
  ledger: Ledger,
  prng: Prng,
  options: {
    readonly client: string;
    readonly cluster: string;
    readonly host: string;
    readonly served: string | null;
    readonly manners: Manners;
    /** One of several that are sent at once. */
    readonly isPipelined: boolean;
    readonly isOld: boolean;
    readonly last: boolean;
    readonly upgrades: boolean;
  },
): WrittenRequest {
  const { client, cluster, host, served, manners, isPipelined, isOld, last, upgrades } = options;
  const withBody = !upgrades && !(isPipelined && prng.chance(0.7)) && prng.chance(manners.body);
  const method = upgrades
    ? 'GET'
    : withBody
      ? prng.pick(['POST', 'PUT'] as const)
      : prng.chance(0.1)
        ? 'HEAD'
        : 'GET';
  const bodyLength = withBody ? prng.below(prng.chance(0.7) ? 300 : manners.mostBytes) : 0;
  const chunked = withBody && !isOld && prng.chance(0.5);
  const expects =
    withBody && (bodyLength > 0 || chunked) && !isOld && !isPipelined && prng.chance(manners.expect);
  const isRedirected = prng.chance(manners.redirect);
  const entry = ledger.open({
    client,
    method,
    cluster,
    bodyLength,
    isOld,
    expects,
    upgrades,
    isRedirected,
    host,
    served,
  });
  const keeps = isOld && !last && prng.chance(0.5);
  const closes = !upgrades && last && prng.chance(0.5);
  const path = `${isRedirected ? '/old' : ''}/${cluster.split('/')[1]}/${entry.id}`;
  const lines = [
    `${method} ${path} HTTP/1.${isOld ? 0 : 1}`,
    `Host: ${host}`,
    `X-Request: ${entry.id}`,
    `X-Length: ${bodyLength}`,
    'X-Set: by the client',
    'X-Remove: from the client',
    ...(chunked ? ['Transfer-Encoding: chunked'] : withBody ? [`Content-Length: ${bodyLength}`] : []),
    ...(expects ? ['Expect: 100-continue'] : []),
    ...(upgrades ? ['Connection: upgrade', 'Upgrade: echo'] : []),
    ...(keeps ? ['Connection: keep-alive'] : closes ? ['Connection: close'] : []),
  ];
  const body = pattern(entry.id, 0, bodyLength);
  return {
    entry,
    head: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    body: chunked ? Buffer.concat(chunks(body, prng)) : body,
    isLast: closes || (isOld && !keeps),
  };
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
