import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Backends, startBackends } from '../../bench/backend.ts';
import { type KeyKind, type ServerCertificate, writeCertificate } from '../../bench/certificate.ts';
import { caddy } from '../../bench/contender/caddy.ts';
import { LOAD_CORE } from '../../bench/contender/contender.ts';
import { haproxy } from '../../bench/contender/haproxy.ts';
import { nginx } from '../../bench/contender/nginx.ts';
import { load } from '../../bench/load/load.ts';
import { prove } from '../../bench/proof.ts';
import { H1_WORKS } from '../../bench/work/h1.ts';
import { SMALL } from '../../bench/work/work.ts';
import { WORKS } from '../../bench/work/works.ts';
import { needs } from '../needs.ts';
import { listening } from './peers.ts';

const directory = mkdtempSync(join(tmpdir(), 'novaedge-bench-test-'));
chmodSync(directory, 0o755);
let backends: Backends;
let certificates: Record<KeyKind, ServerCertificate>;
before(async () => {
  certificates = {
    EC: await writeCertificate(directory, 'EC'),
    RSA: await writeCertificate(directory, 'RSA'),
  };
  if (needs('nginx').skip === false) backends = await startBackends(LOAD_CORE, join(directory, 'backend'));
});
after(async () => {
  await backends?.stop();
  rmSync(directory, { recursive: true, force: true });
});

// Those of HTTP/1.1 differ in the load, not in what is configured, but for a few.
const configured = WORKS.filter((work) => !H1_WORKS.includes(work) || work.routes === 10 || work.accessLog);

for (const peer of [nginx, haproxy, caddy]) {
  for (const work of configured) {
    if (peer.cannot(work) !== null) continue;
    test(`${peer.name} does ${work.name}`, needs(peer.name), async () => {
      const started = await peer.start({
        directory: join(directory, `${peer.name}-${work.name}`),
        backendPort: backends.portOf(work),
        certificates,
        work,
      });
      try {
        await prove(work, started.port);
      } finally {
        await started.stop();
      }
    });
  }
}

const named = (name: string) => WORKS.find((work) => work.name === name)!;

test('what a server does not do is not proved', async (t) => {
  const port = await listening(
    t,
    createPlain((_, response) => response.end('Hello, world!')),
  );
  await prove(SMALL, port);
  for (const name of [
    'h1-body-10k',
    'h2-h1-16x16',
    'tls-resumed',
    'grpc-unary',
    'grpc-stream',
    'websocket-echo',
  ])
    await assert.rejects(prove(named(name), port), Error, name);
});

test('a server that resumes no session is not proved for that', async (t) => {
  const { certificate: cert, key } = certificates.EC;
  const { SSL_OP_NO_TICKET: secureOptions } = (await import('node:crypto')).constants;
  const server = createServer({ cert, key, secureOptions, maxVersion: 'TLSv1.2' }, (_, response) =>
    response.end('Hello, world!'),
  );
  await assert.rejects(
    prove(named('tls-resumed'), await listening(t, server)),
    /TLSv1\.2 instead of TLSv1\.3/,
  );
});

test(
  'handshakes are full where they are to be, and resumed where they are to be',
  needs('h2load'),
  async (t) => {
    const { certificate: cert, key } = certificates.EC;
    const server = createServer({ cert, key }, (_, response) => response.end('Hello, world!'));
    const seen = { full: 0, resumed: 0 };
    server.on('secureConnection', (socket) => {
      seen[socket.isSessionReused() ? 'resumed' : 'full'] += 1;
    });
    const port = await listening(t, server);
    const { units } = await load(LOAD_CORE, port, named('tls-handshake-ec'), 1, directory);
    assert.ok(units > 0);
    assert.deepEqual(seen, { full: units, resumed: 0 });

    seen.full = 0;
    const resumed = await load(LOAD_CORE, port, named('tls-resumed'), 1, directory);
    assert.ok(resumed.units > 0);
    assert.equal(resumed.errors, 0);
    assert.deepEqual(seen, { full: 1, resumed: resumed.units });
  },
);

test('every loader brings figures', needs('h2load'), async () => {
  for (const name of ['h1-keepalive-small', 'h2-h2-1x100', 'grpc-unary', 'grpc-stream', 'websocket-echo']) {
    const work = named(name);
    const { units, seconds, latency, errors } = await load(
      LOAD_CORE,
      backends.portOf(work),
      work,
      1,
      directory,
    );
    assert.ok(units > 0 && seconds > 0.5 && latency !== null && latency.p99 > 0, name);
    assert.equal(errors, 0, name);
  }
});
