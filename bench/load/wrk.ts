import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from '../work/work.ts';
import { BYTES_PER_MB, type LoadResult } from './result.ts';
import { resultLine, run } from './run.ts';

interface Summary {
  readonly requests: number;
  readonly bytes: number;
  readonly micros: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly errors: number;
}

/**
 * Runs wrk on one core against a proxy and reads its own summary.
 */
export async function wrkLoad(
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
  io.write(string.format('RESULT {"requests":%d,"bytes":%d,"micros":%d,"p50":%d,"p99":%d,"p999":%d,"errors":%d}\\n', summary.requests, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`,
  );
  const url = `${work.tls === null ? 'http' : 'https'}://127.0.0.1:${port}${work.path}`;
  const command = ['wrk', '-t1', `-c${work.connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script];
  const result = resultLine<Summary>('wrk', await run(core, [...command, url]));
  return {
    units: work.unit === 'MB' ? result.bytes / BYTES_PER_MB : result.requests,
    seconds: result.micros / 1e6,
    latency: { p50: result.p50, p99: result.p99, p999: result.p999 },
    errors: result.errors,
  };
}
