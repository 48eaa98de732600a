import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import { needs } from '../../needs.ts';
import { EchoOwner } from './echo-owner.ts';
import { LOCAL } from './server.ts';
import { SocketLink } from './socket-link.ts';

const REQUESTS = 2000;

async function h2load(port: number, more: readonly string[]): Promise<string> {
  const child = spawn('h2load', [
    '-n',
    String(REQUESTS),
    '-c',
    '5',
    '-m',
    '20',
    ...more,
    `http://127.0.0.1:${port}/`,
  ]);
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}

test('h2load: thousands of requests over a few connections, with small windows too', {
  ...needs('h2load'),
  timeout: 60_000,
}, async () => {
  const faults: unknown[] = [];
  const server = createServer((socket) => {
    const owner = new EchoOwner(Buffer.alloc(30_000, 'e'));
    const link = new SocketLink(socket);
    const local = { ...LOCAL, maxConcurrentStreams: 100 };
    const connection = new Http2Connection('server', local, owner, link, performance.now());
    owner.connection = connection;
    link.start(connection);
    socket.on('close', () => faults.push(owner.fault, ...owner.streamFaults));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    for (const more of [[], ['-w', '14', '-W', '16']]) {
      const output = await h2load(port, more);
      assert.match(output, new RegExp(`${REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout`));
    }
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  assert.deepEqual(
    faults.filter((fault) => fault !== null),
    [],
  );
});
