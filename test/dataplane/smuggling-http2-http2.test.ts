import { after, before, test } from 'node:test';
import type { Harness } from './harness.ts';
import type { Recorder } from './recorded.ts';
import { recorderOfHttp2 } from './recorded.ts';
import { RecordingHttp2Backend } from './recording-http2-backend.ts';
import { HTTP2_SMUGGLING } from './smuggling-http2-cases.ts';
import { MAKINGS, run, startBefore } from './smuggling-http2-run.ts';

/* The same requests to a backend of HTTP/2, which reads by RFC 9113 at its strictest. */
let recorder: Recorder;
let harness: Harness;

before(async () => {
  recorder = recorderOfHttp2(await RecordingHttp2Backend.start());
  harness = await startBefore(recorder.port, 'HTTP2');
});

after(() => {
  harness.dataplane.shutdown();
  recorder.close();
});

for (const row of HTTP2_SMUGGLING)
  test(`${row.outcomes.map((one) => (typeof one === 'string' ? one : one.reason)).join(' or ')}: ${row.name}`, {
    timeout: 20_000,
  }, async () => {
    for (const making of MAKINGS) await run(row, making, harness.port, recorder);
  });
