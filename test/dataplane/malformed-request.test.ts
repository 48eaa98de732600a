import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { literals } from '../wire/h2/blocks.ts';
import { data, END_HEADERS, END_STREAM, headers } from '../wire/h2/frames.ts';
import { LISTENER, startProxy } from './harness.ts';
import { answering, OK, rawBackend } from './raw.ts';
import { RawHttp2Client } from './raw-http2.ts';

test('why a stream was reset stands in the access log', { timeout: 20_000 }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-malformed-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const accessLog = join(directory, 'access.log');
  const backend = await rawBackend(context, answering(OK));
  const { port } = await startProxy(context, [backend.port], { accessLog });
  const client = new RawHttp2Client(port);
  const post = [':method: POST', ':scheme: http', ':authority: a', ':path: /x?secret'];
  client.send(
    headers(1, END_HEADERS | END_STREAM, literals([...post, 'connection: close'])),
    headers(3, END_HEADERS | END_STREAM, literals([':path: /y', ':path: /z'])),
    headers(5, END_HEADERS, literals([...post, 'content-length: 5'])),
    data(5, END_STREAM, 'abc'),
    headers(7, END_HEADERS, literals(post)),
    headers(7, END_HEADERS | END_STREAM, literals(['X-Upper: 1'])),
  );
  for (const id of [1, 3, 5, 7]) assert.equal((await client.over(id))?.resetCode, 1);
  client.close();
  let lines: Record<string, unknown>[] = [];
  // It is written in the background.
  while (lines.length < 4) {
    await sleep(20);
    if (!existsSync(accessLog)) continue;
    lines = readFileSync(accessLog, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
  assert.deepEqual(
    lines.map(({ listener, protocol, method, path, status, reason, detail, client: who }) => [
      listener,
      protocol,
      method,
      path,
      status,
      reason,
      detail,
      who,
    ]),
    [
      ['POST', '/x', 'connection_field'],
      ['', '/y', 'repeated_pseudo_field'],
      ['POST', '/x', 'content_length_mismatch'],
      ['POST', '/x', 'uppercase_field_name'],
    ].map(([method, path, detail]) => [
      LISTENER,
      'HTTP/2',
      method,
      path,
      400,
      'bad_request',
      detail,
      '127.0.0.1',
    ]),
  );
});
