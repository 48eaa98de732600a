import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { cluster, startProxy } from '../dataplane/harness.ts';
import { encodeFrame, TEXT } from './frame.ts';
import type { Opened } from './hub.ts';
import { ask, hub, OPENING } from './hub.ts';

const SOCKETS = 200;
/** With those that the client and the server of this test hold; a read of the proxy alone goes into 64 KiB. */
const MOST_BYTES_EACH = 32_768;

/** Sends, and waits until all of it has arrived. */
async function pass(from: Opened, to: Opened, bytes: Buffer): Promise<void> {
  let left = bytes.length;
  from.socket.write(bytes);
  while (left > 0) {
    const [piece] = (await once(to.socket.resume(), 'data')) as [Buffer];
    left -= piece.length;
  }
}

test('WebSockets that wait hold no memory of reads, also after large messages', async (context) => {
  const opposite = await hub(context);
  const more = [{ kind: 'cluster' as const, value: cluster({ maxConnections: 2 * SOCKETS }) }];
  const proxy = await startProxy(context, [opposite.port], { more });
  const small = encodeFrame({ fin: true, rsv: 0, opcode: TEXT, mask: null, payload: Buffer.from('ping') });
  const large = encodeFrame({ fin: true, rsv: 0, opcode: TEXT, mask: null, payload: Buffer.alloc(200_000) });
  const all: [Opened, Opened][] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < SOCKETS; index += 1) {
    const asked = opposite.take(`/${index}`);
    const opening = ask(proxy.port, `/${index}`, OPENING);
    const server = await asked;
    server.accept([]);
    const client = await opening;
    if (index % 20 === 0)
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const)
        await pass(one, other, large);
    await pass(client, server, small);
    await pass(server, client, small);
    all.push([client, server]);
  }
  const each = (process.memoryUsage().arrayBuffers - before) / SOCKETS;
  assert.equal(proxy.count('active_connections'), SOCKETS);
  for (const [client, server] of all) {
    client.socket.destroy();
    server.socket.destroy();
  }
  assert.ok(each < MOST_BYTES_EACH, `${each} bytes each`);
});
