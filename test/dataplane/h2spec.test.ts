import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { TestAuthority } from '../certificates.ts';
import { needs } from '../needs.ts';
import type { Harness } from './harness.ts';
import { cluster, startProxy } from './harness.ts';
import { http2Backend, saying } from './http2-backend.ts';
import { nodeBackend } from './node-backend.ts';
import { startSecure } from './tls/harness.ts';

/** All of h2spec 2.2.1, with those that the RFC only recommends. */
const CASES = 146;
const RUNS = Number(process.env.H2SPEC_RUNS ?? 2);

/** Its last lines: what failed, and the sum. */
async function h2spec(port: number, ...more: string[]): Promise<{ code: number; said: string }> {
  const program = spawn('h2spec', ['--strict', '-h', '127.0.0.1', '-p', String(port), ...more]);
  let said = '';
  program.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const [code] = (await once(program, 'close')) as [number];
  const failures = said.lastIndexOf('Failures:');
  return { code, said: said.slice(failures === -1 ? said.lastIndexOf('Finished') : failures) };
}

async function passes(port: number, ...more: string[]): Promise<void> {
  for (let run = 0; run < RUNS; run += 1) {
    const { code, said } = await h2spec(port, ...more);
    assert.match(said, new RegExp(`\\b${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`), said);
    assert.equal(code, 0);
  }
}

/** The port speaks HTTP/2 alone: one for both answers what is not its preface as HTTP/1.1. */
function clearText(context: TestContext, port: number, protocol: 'HTTP1' | 'HTTP2'): Promise<Harness> {
  return startProxy(context, [port], {
    listener: { http: { ...HTTP_DEFAULTS, http1: false } },
    more: [{ kind: 'cluster', value: cluster({ protocol }) }],
  });
}

async function secure(context: TestContext, port: number, protocol: 'HTTP1' | 'HTTP2'): Promise<Harness> {
  const authority = await TestAuthority.create();
  const certificate = await authority.issue('edge', ['localhost', '127.0.0.1']);
  return startSecure(context, [port], {
    certificates: [certificate],
    more: [{ kind: 'cluster', value: cluster({ protocol }) }],
  });
}

/** They wait for a request's end: one that answers before ends the stream before h2spec has done it wrong. */
const BACKENDS = {
  HTTP1: (context: TestContext) =>
    nodeBackend(context, (request, response) => {
      request.resume();
      request.on('end', () => response.end('hello'));
    }),
  HTTP2: async (context: TestContext) => {
    const answer = saying('hello');
    const { port } = await http2Backend(context, (stream, headers) => {
      stream.resume();
      stream.on('end', () => {
        if (!stream.destroyed) answer(stream, headers);
      });
    });
    return port;
  },
};

for (const protocol of ['HTTP1', 'HTTP2'] as const) {
  test(`h2spec passes in clear text, before a backend of ${protocol}`, needs('h2spec'), async (context) => {
    const { port } = await clearText(context, await BACKENDS[protocol](context), protocol);
    await passes(port);
  });

  test(`h2spec passes over TLS, before a backend of ${protocol}`, needs('h2spec'), async (context) => {
    const { port } = await secure(context, await BACKENDS[protocol](context), protocol);
    await passes(port, '-t', '-k');
  });
}
