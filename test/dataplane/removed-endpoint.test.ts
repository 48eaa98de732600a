import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointId } from '../../src/model/endpoint.ts';
import { startProxy } from './harness.ts';
import { RawClient, rawBackend } from './raw.ts';

test('a pool that is closed cuts the requests of endpoints that have gone before, too', async (context) => {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const backend = await rawBackend(context, () => asked());
  const harness = await startProxy(context, [backend.port]);
  const client = new RawClient(harness.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await isAsked;
  const closed = new Promise((resolve) => backend.connections[0]!.once('close', resolve));
  harness.change([], [`endpoint/default/api/${endpointId({ address: '127.0.0.1', port: backend.port })}`]);
  assert.equal(harness.dataplane.closePool('default/api'), 1);
  await client.untilText('x-novaedge-reason: draining');
  await closed;
  client.socket.destroy();
});
