import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import {
  backend,
  backendManifest,
  endlessBackend,
  eventually,
  routeManifest,
  standalone,
} from './harness.ts';

const EACH = 300;
const PROBE_MS = 50;
/** They are gone after 15 s; the rest is for a machine that has other things to do. */
const DEADLINE_MS = 30_000;

/** Reads 128 bytes now and then: what it does not read stays in the kernel, and its window shut. */
function slowReader(port: number): Socket {
  return connect({
    port,
    host: '127.0.0.1',
    onread: { buffer: Buffer.alloc(128), callback: () => false },
  });
}

/** Status of a GET, or the error's code. */
function probe(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ port, host: '127.0.0.1', path: '/probe', agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.statusCode)));
      response.on('error', (error) => resolve(error.message));
    });
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end();
  });
}

test('900 slow clients are gone after 15 s with the defaults, and nobody beside them notices', {
  timeout: 120_000,
}, async (context) => {
  const quick = await backend(context, 'ok');
  const large = await endlessBackend(context);
  const system = await standalone(context, {
    'all.yaml': [
      backendManifest('quick', quick.port),
      backendManifest('large', large),
      routeManifest('all', '/', 'quick'),
      routeManifest('slow', '/slow', 'large'),
    ].join('---\n'),
  });
  const fresh = new Agent({ keepAlive: false });
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const slow: Socket[] = [];
  context.after(() => {
    for (const socket of slow) socket.destroy();
    fresh.destroy();
    kept.destroy();
  });
  await eventually('the route', async () => (await probe(system.port, fresh)) === '200');

  const began = performance.now();
  for (let index = 0; index < EACH; index += 1) {
    const headers = connect(system.port, '127.0.0.1');
    headers.write('GET /slow HTTP/1.1\r\nHost: a\r\n');
    const body = connect(system.port, '127.0.0.1');
    body.write(
      `POST /slow HTTP/1.1\r\nHost: a\r\n${index % 2 === 0 ? 'Content-Length: 100000' : 'Transfer-Encoding: chunked'}\r\n\r\n`,
    );
    const reader = slowReader(system.port);
    reader.write('GET /slow/6000000 HTTP/1.1\r\nHost: a\r\n\r\n');
    slow.push(headers, body, reader);
  }
  for (const socket of slow) socket.on('error', () => {});
  let second = 0;
  const trickle = setInterval(() => {
    second += 1;
    for (let index = 0; index < slow.length; index += 3) {
      const [headers, body, reader] = slow.slice(index, index + 3) as [Socket, Socket, Socket];
      if (headers.writable) headers.write(`X-${second}: y\r\n`);
      if (body.writable) body.write((index / 3) % 2 === 0 ? 'z' : '1\r\nz\r\n');
      reader.resume();
    }
  }, 1000);
  context.after(() => clearInterval(trickle));

  const answers = new Map<string, number>();
  let probes: Promise<void>[] = [];
  let slowest = 0;
  const probing = setInterval(() => {
    for (const agent of [fresh, kept]) {
      const at = performance.now();
      probes.push(
        probe(system.port, agent).then((status) => {
          answers.set(status, (answers.get(status) ?? 0) + 1);
          slowest = Math.max(slowest, performance.now() - at);
        }),
      );
    }
  }, PROBE_MS);
  context.after(() => clearInterval(probing));

  const open = async (): Promise<number> => {
    const metrics = await (await fetch(`http://${system.admin}/metrics`)).text();
    return metrics
      .split('\n')
      .filter((line) => line.startsWith('open_connections'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  await eventually('900 slow clients', async () => (await open()) >= 3 * EACH);
  let left = 0;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = await open();
    // One kept, and a probe or two that are under way.
  } while (left > 5 && performance.now() - began < DEADLINE_MS);
  const took = performance.now() - began;
  clearInterval(probing);
  await Promise.all(probes);
  probes = [];
  context.diagnostic(
    `gone after ${(took / 1000).toFixed(1)} s; ${[...answers].map(([status, count]) => `${count} probes ${status}`).join(', ')}, the slowest ${slowest.toFixed(0)} ms`,
  );
  assert.ok(left <= 5, `${left} connections are left after ${(took / 1000).toFixed(1)} s`);
  assert.deepEqual([...answers.keys()], ['200']);
  assert.ok(answers.get('200')! > 100);
  assert.equal(await system.stop(), 0);
});
