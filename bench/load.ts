import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from './work.ts';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
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
  io.write(string.format('RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"errors":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`,
  );
  const arguments_ = [
    '-c',
    String(core),
    'wrk',
    '-t1',
    `-c${work.connections}`,
    `-d${seconds}s`,
    '-s',
    script,
  ];
  const child = spawn('taskset', [...arguments_, `http://127.0.0.1:${port}${work.path}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (code !== 0 || line === undefined) throw new Error(`wrk failed (${code}):\n${output}`);
  const result = JSON.parse(line) as {
    requests: number;
    micros: number;
    p50: number;
    p99: number;
    errors: number;
  };
  return {
    requests: result.requests,
    seconds: result.micros / 1e6,
    p50: result.p50,
    p99: result.p99,
    errors: result.errors,
  };
}
