import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('without the handles of the runtime TLS does the same', () => {
  const files = [
    'os/tls-stream.test.ts',
    'dataplane/tls/termination.test.ts',
    'dataplane/tls/resumption.test.ts',
  ];
  const paths = files.map((file) => fileURLToPath(new URL(`../${file}`, import.meta.url)));
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', ...paths], {
    env: { ...environment, NOVAEDGE_PLAIN_SOCKETS: '1' },
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(status, 0, stdout);
});
