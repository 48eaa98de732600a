import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grpcMessage } from '../peer/grpc-stream-load.ts';
import type { Work } from '../work/work.ts';
import { BYTES_PER_MB, type LoadResult } from './result.ts';
import { run } from './run.ts';

/** The one that wrk takes, so that all loads have the same. */
const CIPHER = 'TLS_AES_256_GCM_SHA384';
/** In a second; opened evenly over it. */
const HANDSHAKES = 600;
const PERIODS = 100;

/** All that `streams` requests on each connection can bring, by HTTP/2; over TLS by ALPN. */
export async function h2loadLoad(
  core: number,
  port: number,
  work: Work,
  seconds: number,
  directory: string,
): Promise<LoadResult> {
  const command = ['h2load', '-t1', `-c${work.connections}`, `-m${work.streams}`, `-D${seconds}`];
  for (const [name, value] of Object.entries(work.headers)) command.push('-H', `${name}: ${value}`);
  if (work.body > 0) {
    const body = join(directory, 'h2load.body');
    const bytes = Buffer.alloc(work.body, 'x');
    writeFileSync(body, work.content === 'gRPC' ? grpcMessage(bytes) : bytes);
    command.push('-d', body);
  }
  const { summary, ...latencies } = await loggedRun(core, command, address(port, work), work, directory);
  // What is under way when the time is up counts by its bytes, but not as a request.
  return {
    ...latencies,
    seconds,
    units: work.unit === 'MB' ? summary.bytes / BYTES_PER_MB : summary.succeeded,
  };
}

/**
 * Sends `rate` HTTP/1.1 requests a second, evenly over the connections (wrk has no rate).
 */
export async function pacedLoad(
  core: number,
  port: number,
  work: Work,
  seconds: number,
  rate: number,
  directory: string,
): Promise<LoadResult> {
  const each = Math.max(1, Math.round(rate / work.connections));
  const command = ['h2load', '--h1', '-t1', `-c${work.connections}`, `-D${seconds}`, `--rps=${each}`];
  const { summary, ...latencies } = await loggedRun(core, command, address(port, work), work, directory);
  return { ...latencies, seconds, units: summary.succeeded };
}

/**
 * New TLS connections at a steady pace, none of which knows an earlier session, with one request each. (wrk resumes;
 * `openssl s_time -new` does not, at twice the CPU for the load.) How long a handshake takes is not logged.
 */
export async function handshakeLoad(
  core: number,
  port: number,
  work: Work,
  seconds: number,
): Promise<LoadResult> {
  const count = HANDSHAKES * seconds;
  const command = ['h2load', '--h1', '-t1', `-n${count}`, `-c${count}`, `--tls13-ciphers=${CIPHER}`];
  command.push(`-r${HANDSHAKES / PERIODS}`, `--rate-period=${1000 / PERIODS}ms`, address(port, work));
  const { succeeded, failed, seconds: took } = readSummary(await run(core, command));
  return { units: succeeded, seconds: took, latency: null, errors: failed };
}

function address(port: number, work: Work): string {
  return `${work.tls === null ? 'http' : 'https'}://127.0.0.1:${port}${work.path}`;
}

/** Latencies are those of each request, as h2load logs them, in microseconds. */
async function loggedRun(
  core: number,
  command: readonly string[],
  url: string,
  work: Work,
  directory: string,
): Promise<Pick<LoadResult, 'latency' | 'errors'> & { readonly summary: Summary }> {
  const log = join(directory, 'h2load.log');
  rmSync(log, { force: true });
  const tls = work.tls === null ? [] : [`--tls13-ciphers=${CIPHER}`];
  const summary = readSummary(await run(core, [...command, ...tls, `--log-file=${log}`, url]));
  const latencies: number[] = [];
  let errors = 0;
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, status, micros] = line.split('\t');
    if (status === undefined || micros === undefined) continue;
    if (status === '200') latencies.push(Number(micros));
    else errors += 1;
  }
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return {
    summary,
    latency:
      latencies.length === 0
        ? null
        : { p50: percentile(0.5), p99: percentile(0.99), p999: percentile(0.999) },
    errors,
  };
}

interface Summary {
  readonly succeeded: number;
  readonly failed: number;
  readonly bytes: number;
  readonly seconds: number;
}

const UNITS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

/** What h2load prints at its end. */
export function readSummary(output: string): Summary {
  const took = /^finished in ([\d.]+)(us|ms|s|m)\b/m.exec(output);
  const requests = /^requests: .* (\d+) succeeded, (\d+) failed/m.exec(output);
  const bytes = /^traffic: \S+ \((\d+)\) total/m.exec(output);
  if (took === null || requests === null || bytes === null)
    throw new Error(`h2load printed no result:\n${output}`);
  return {
    succeeded: Number(requests[1]),
    failed: Number(requests[2]),
    bytes: Number(bytes[1]),
    seconds: Number(took[1]) * UNITS[took[2]!]!,
  };
}
