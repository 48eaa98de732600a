import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { SYSTEM, type System } from '../../src/os/system.ts';
import { cluster, endpoint, route, start } from './harness.ts';

for (const code of ['EMFILE', 'EADDRNOTAVAIL', 'ECONNRESET'])
  test(`connections that fail by ${code} ${code === 'ECONNRESET' ? 'blame' : 'do not blame'} the endpoint`, async (t) => {
    const backend = createServer((_, response) => response.end('here'));
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    let short = true;
    const system: System = {
      ...SYSTEM,
      connect(address, port, owner) {
        if (!short) return SYSTEM.connect(address, port, owner);
        setImmediate(() => owner.onConnectFailed(code));
        return { close: (closed) => void setImmediate(closed) };
      },
    };
    const { port } = backend.address() as AddressInfo;
    const harness = await start({
      system,
      resources: [
        { kind: 'cluster', value: cluster() },
        { kind: 'endpoint', value: endpoint(port) },
        { kind: 'route', value: route() },
      ],
    });
    t.after(() => {
      harness.dataplane.shutdown();
      backend.closeAllConnections();
      backend.close();
    });
    for (let request = 0; request < 10; request += 1) {
      const answer = await fetch(`http://127.0.0.1:${harness.port}/`);
      assert.ok(answer.status >= 500, `${answer.status}`);
      await answer.text();
    }
    const blamed = harness.notifications.some(({ type }) => type === 'endpoint.failing');
    assert.equal(blamed, code === 'ECONNRESET');
    assert.ok(harness.count('upstream_connect_failures', { reason: code }) >= 10);
    short = false;
    const answer = await fetch(`http://127.0.0.1:${harness.port}/`);
    assert.equal(await answer.text(), 'here');
  });
