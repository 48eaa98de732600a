import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { test } from 'node:test';
import type { Standalone } from './harness.ts';
import { backendManifest, endlessBackend, eventually, routeManifest, standalone } from './harness.ts';

const BYTES = Number(process.env.BYTES ?? 1_000_000_000);
const GROWTH_MB = 64;
const PAUSE_MS = 1500;
const PIECE = Buffer.alloc(262_144, 98);

function residentMegabytes(system: Standalone): number {
  const status = readFileSync(`/proc/${system.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) / 1024;
}

/** Resolves with the number of bytes that came; in the middle it takes nothing for a while. */
function download(port: number, bytes: number, pauses: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path: `/large/${bytes}` }, (response) => {
      let came = 0;
      let mayPause = pauses;
      response.on('data', (chunk: Buffer) => {
        came += chunk.length;
        if (!mayPause || came < bytes / 4) return;
        mayPause = false;
        response.pause();
        setTimeout(() => response.resume(), PAUSE_MS);
      });
      response.on('end', () => resolve(came));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Resolves with what the backend says it got. */
function upload(port: number, bytes: number, path: string, chunked: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = chunked ? {} : { 'Content-Length': bytes };
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(response.statusCode === 200 ? Number(text) : -response.statusCode!));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    let left = bytes;
    const pump = (): void => {
      while (left > 0) {
        const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
        left -= piece.length;
        if (!outgoing.write(piece)) return;
      }
      outgoing.end();
    };
    outgoing.on('drain', pump);
    pump();
  });
}

test('a gigabyte each way, and a pause on either end, with flat memory', {
  skip: process.platform === 'linux' ? false : 'reads /proc',
  timeout: 60_000 + BYTES / 10_000,
}, async (context) => {
  const large = await endlessBackend(context);
  const system = await standalone(context, {
    'all.yaml': `${backendManifest('large', large)}---\n${routeManifest('all', '/', 'large')}---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: { name: unlimited }
spec:
  rules:
    - matches: [{ path: { type: PathPrefix, value: /unlimited } }]
      backendRef: { name: large }
      limits: { bodyBytes: 0 }
`,
  });
  const paths = ['/unlimited', '/unlimited/pausing'] as const;
  await eventually('the route', async () => (await upload(system.port, 1, paths[0], false)) === 1);
  // Once each, so that what is grown once has grown.
  await download(system.port, 50_000_000, false);
  await upload(system.port, 50_000_000, paths[0], true);
  const before = residentMegabytes(system);
  for (const [what, run, expected] of [
    ['down', () => download(system.port, BYTES, false), BYTES],
    ['down, and the client pauses', () => download(system.port, BYTES / 4, true), BYTES / 4],
    ['up', () => upload(system.port, BYTES, paths[0], false), BYTES],
    ['up in chunks, and the backend pauses', () => upload(system.port, BYTES / 4, paths[1], true), BYTES / 4],
  ] as const) {
    const began = performance.now();
    const samples: number[] = [];
    const sampling = setInterval(() => samples.push(residentMegabytes(system)), 100);
    assert.equal(await run(), expected, what);
    clearInterval(sampling);
    const most = Math.max(0, ...samples);
    const seconds = (performance.now() - began) / 1000;
    const tenth = Math.max(1, Math.floor(samples.length / 10));
    const series = samples.filter((_, index) => index % tenth === 0).map((sample) => sample.toFixed(0));
    context.diagnostic(
      `${what}: ${(expected / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; RSS in MB ${before.toFixed(0)} before, then ${series.join(' ')}`,
    );
    assert.ok(
      most < before + GROWTH_MB,
      `${what}: ${before.toFixed()} MB before, ${most.toFixed()} MB at most`,
    );
  }
  assert.equal(await system.stop(), 0);
});
