import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { cluster, endpoint, route, start } from './harness.ts';

test("bodies of many requests at once stay intact, whatever the readers' speed", async (context) => {
  const server = createServer((message, response) => {
    if (message.headers['x-counted'] !== undefined) {
      response.setHeader('content-length', message.headers['x-counted']);
    }
    message.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint((server.address() as AddressInfo).port) },
      { kind: 'route', value: route() },
    ],
  });
  context.after(() => {
    harness.dataplane.shutdown();
    server.closeAllConnections();
    server.close();
  });
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const echo = (body: Buffer, counted: boolean, slow: boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const hash = createHash('sha256');
      const headers = counted ? { 'x-counted': body.length, 'content-length': body.length } : {};
      const outgoing = request(
        { port: harness.port, host: '127.0.0.1', method: 'POST', agent: false, headers },
        (response) => {
          response.on('data', (bytes: Buffer) => {
            hash.update(bytes);
            if (!slow) return;
            response.pause();
            setTimeout(() => response.resume(), 1);
          });
          response.on('end', () => resolve(hash.digest('hex')));
          response.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      for (let at = 0; at < body.length; at += 100_000) outgoing.write(body.subarray(at, at + 100_000));
      outgoing.end();
    });
  await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const body = randomBytes(index % 3 === 0 ? 12_000_000 : 40_000 * (index + 1));
      assert.equal(await echo(body, index % 2 === 0, index % 4 < 2), digest(body), `request ${index}`);
    }),
  );
  assert.equal(harness.count('active_connections'), 0);
});
