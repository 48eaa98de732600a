import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { AccessRecord } from '../../src/dataplane/access-log.ts';
import { AccessLog } from '../../src/dataplane/access-log.ts';

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }));
const milliseconds = fc.double({ min: 0, max: 1e7, noNaN: true });
const record: fc.Arbitrary<AccessRecord> = fc.record(
  {
    listener: text,
    route: text,
    method: text,
    host: text,
    path: text,
    status: fc.integer({ min: 0, max: 999 }),
    grpcStatus: fc.constantFrom('', 'DEADLINE_EXCEEDED'),
    reason: fc.constantFrom('', 'upstream_reset'),
    detail: fc.constantFrom('', 'invalid_path'),
    bytesIn: fc.maxSafeNat(),
    bytesOut: fc.oneof(fc.maxSafeNat(), fc.nat({ max: 2000 })),
    durationMs: milliseconds,
    attempts: fc.nat(10),
    upstream: text,
    upstreamMs: milliseconds,
    connectFailure: fc.constantFrom('', 'CERT_HAS_EXPIRED'),
    requestId: text,
    protocol: fc.constantFrom('HTTP/1.1', 'HTTP/2'),
    client: text,
    secured: fc.constantFrom(null, {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      serverName: 'www.example.com',
    }),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<AccessRecord>;

function newFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-access-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'access.log');
}

/** Flushes until so many lines are in the file. */
async function linesOf(log: AccessLog, file: string, count: number): Promise<string[]> {
  for (;;) {
    log.flush();
    await sleep(5);
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    if (lines.length >= count) return lines;
  }
}

test('every record is one line of JSON that says the same', async (t) => {
  const records = fc.sample(record, 500);
  const file = newFile(t);
  let now = Date.parse('2026-02-28T23:59:59.900Z');
  const log = new AccessLog(file, () => now);
  const times: string[] = [];
  for (const each of records) {
    log.write(each);
    times.push(new Date(now).toISOString());
    now += 1;
  }
  const lines = await linesOf(log, file, records.length);
  log.close();
  assert.equal(lines.length, records.length);
  for (const [index, line] of lines.entries()) {
    const { time, durationMs, upstreamMs, ...rest } = JSON.parse(line);
    const { durationMs: duration, upstreamMs: upstream, ...said } = records[index]!;
    const { grpcStatus, connectFailure, secured, ...always } = said;
    assert.deepEqual(rest, {
      ...always,
      ...(grpcStatus === '' ? {} : { grpcStatus }),
      ...(connectFailure === '' ? {} : { connectFailure }),
      ...(secured === null
        ? {}
        : { tls: secured.protocol, cipher: secured.cipher, serverName: secured.serverName }),
    });
    assert.equal(time, times[index]);
    assert.ok(Math.abs(durationMs - duration) <= 0.00051, `${durationMs} for ${duration}`);
    assert.ok(Math.abs(upstreamMs - upstream) <= 0.00051, `${upstreamMs} for ${upstream}`);
  }
});

test('what the disk cannot take in time is dropped, counted, and said in the file', async (t) => {
  const file = newFile(t);
  const log = new AccessLog(file);
  const [one] = fc.sample(record, 1);
  const large = { ...one!, path: 'x'.repeat(8000) };
  // Nothing of it can be written before this turn ends.
  const written = 3000;
  for (let line = 0; line < written; line += 1) log.write(large);
  const dropped = log.dropped;
  assert.ok(dropped > 1000, `${dropped} dropped`);
  const lines = await linesOf(log, file, written - dropped + 1);
  log.close();
  assert.equal(lines.filter((line) => line.includes('"path"')).length, written - dropped);
  assert.deepEqual(
    lines.flatMap((line) => JSON.parse(line).dropped ?? []),
    [dropped],
  );
});
