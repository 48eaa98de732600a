import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Path } from './stack.ts';

/** What HAProxy 2.6 does otherwise than a direct connection. */
export const NOT_THROUGH_HAPROXY: ReadonlySet<string> = new Set([
  // It resets the stream with CANCEL, and so the call was taken back by nobody.
  'a backend that dies mid-stream makes its calls UNAVAILABLE, and the next one finds it again',
  // A stream whose reader is blocked holds up its whole connection: two that wait for each other wait for ever.
  'messages of a megabyte, both ways at once, on several streams',
  // Now and then the slow call comes to its end without its status.
  'whoever reads slowly holds up nobody else, and misses nothing',
  // Calls that meet a connection's GOAWAY wait for ever.
  'a backend that renews its connections again and again loses no call',
]);

/** HTTP/2 in clear text on both sides; listens on a socket, so that no port has to be guessed. */
export const haproxy: Path = async (context, backendPort) => {
  const directory = mkdtempSync(join(tmpdir(), 'haproxy-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, 'front.sock');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  tune.h2.max-concurrent-streams 2000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend front
  bind unix@${socket} proto h2
  default_backend backend
backend backend
  server one 127.0.0.1:${backendPort} proto h2
`,
  );
  const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  context.after(async () => {
    if (haproxy.exitCode !== null) return;
    haproxy.kill('SIGKILL');
    await once(haproxy, 'exit');
  });
  for (let listens = false; !listens; ) {
    if (haproxy.exitCode !== null) throw new Error(`haproxy ended with ${haproxy.exitCode}`);
    listens = await new Promise((resolve) => {
      const probe = connect(socket, () => {
        probe.destroy();
        resolve(true);
      });
      probe.on('error', () => setTimeout(resolve, 5, false));
    });
  }
  return socket;
};
