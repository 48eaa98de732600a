import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from './work.ts';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly errors: number;
}

/** Runs wrk on one core against a proxy and reads its own summary; latencies in microseconds. */
export async function load(
  core: number,
  port: number,
  work: Work,
  seconds: number,
  directory: string,
): Promise<LoadResult> {
  const script = join(directory, 'load.lua');
  const headers = Object.entries(work.headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  writeFileSync(
    script,
    `wrk.method = "${work.method}"
${headers.join('\n')}
${work.body > 0 ? `wrk.body = string.rep("x", ${work.body})` : ''}
${work.spread > 0 ? `local n = 0\nrequest = function()\n  n = n % ${work.spread} + 1\n  return wrk.format(nil, wrk.path .. n)\nend` : ''}
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"p999":%d,"errors":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`,
  );
  const url = `http://127.0.0.1:${port}${work.path}`;
  const output = await run(core, ['wrk', '-t1', `-c${work.connections}`, `-d${seconds}s`, '-s', script, url]);
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const result = JSON.parse(line) as {
    requests: number;
    micros: number;
    p50: number;
    p99: number;
    p999: number;
    errors: number;
  };
  return {
    requests: result.requests,
    seconds: result.micros / 1e6,
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    errors: result.errors,
  };
}

/**
 * Sends `rate` requests a second, evenly over the connections, by h2load (wrk has no rate). Latencies are those of
 * each request, in microseconds, as h2load logs them.
 */
export async function pacedLoad(
  core: number,
  port: number,
  work: Work,
  seconds: number,
  rate: number,
  directory: string,
): Promise<LoadResult> {
  const log = join(directory, 'h2load.log');
  rmSync(log, { force: true });
  const each = Math.max(1, Math.round(rate / work.connections));
  const command = ['h2load', '--h1', '-t1', `-c${work.connections}`, `-D${seconds}`, `--rps=${each}`];
  command.push(`--log-file=${log}`, `http://127.0.0.1:${port}${work.path}`);
  await run(core, command);
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
    requests: latencies.length,
    seconds,
    p50: percentile(0.5),
    p99: percentile(0.99),
    p999: percentile(0.999),
    errors,
  };
}

async function run(core: number, command: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${command[0]} failed (${code}):\n${output}`);
  return output;
}
