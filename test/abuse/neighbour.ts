import { connect } from 'node:http2';
import { parentPort, workerData } from 'node:worker_threads';

/** What its requests took since it was last asked, in ms. */
export interface Neighbourly {
  readonly requests: number;
  readonly failures: readonly string[];
  readonly p50: number;
  readonly p99: number;
}

const EVERY_MS = 5;

/*
 * A client that behaves: 200 requests a second on one connection, whatever else happens to the proxy. On a thread of
 * its own, so that what it sees is the proxy's and not the test's doing.
 */
if (parentPort !== null) {
  const port = parentPort;
  const session = connect(`http://127.0.0.1:${workerData.port}`);
  let took: number[] = [];
  let failures: string[] = [];
  const fail = (what: string) => failures.push(what);
  session.on('error', (error) => fail(`session: ${error.message}`));
  session.on('goaway', () => fail('goaway'));
  const ask = () => {
    if (session.destroyed) {
      fail('no session');
      return;
    }
    const from = performance.now();
    const stream = session.request({ ':path': '/neighbour' });
    let status = 0;
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0;
    });
    stream.on('error', (error) => fail(error.message));
    stream.on('close', () => {
      if (status !== 200) fail(`status ${status}`);
      took.push(performance.now() - from);
    });
    stream.resume();
    stream.end();
  };
  setInterval(ask, EVERY_MS);
  const part = (of: number) => took.sort((a, b) => a - b)[Math.floor(took.length * of)] ?? 0;
  port.on('message', () => {
    const report: Neighbourly = { requests: took.length, failures, p50: part(0.5), p99: part(0.99) };
    port.postMessage(report);
    took = [];
    failures = [];
  });
}
