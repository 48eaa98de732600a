import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { RoundTrips } from './round-trips.ts';

/** New connections in a second. */
export const RESUMPTIONS = 600;
const TICK_MS = 5;
/** A proxy that does not keep the pace is not buried. */
const MOST_AT_ONCE = 200;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n';

/**
 * New TLS connections at a steady pace, each of which resumes the session of the first and asks once. It is always the
 * same ticket: not all servers hand out another one with a resumed session, and then a client such as wrk resumes
 * every other time.
 */
export async function loadResumptions(port: number, seconds: number, trips: RoundTrips): Promise<void> {
  const options = {
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'] as string[],
    // What OpenSSL 3.0 settles on, and so wrk and h2load: Node would offer ML-KEM, too, which not all servers take.
    ecdhCurve: 'X25519',
    ciphers: 'TLS_AES_256_GCM_SHA384',
    minVersion: 'TLSv1.3',
  } as const;
  const first = connect(options);
  const [session] = (await once(first, 'session')) as [Buffer];
  first.destroy();
  let underWay = 0;
  const ask = () => {
    const began = performance.now();
    const socket = connect({ ...options, session });
    underWay += 1;
    let isReused = false;
    let isAnswered = false;
    socket.setEncoding('latin1');
    socket.once('secureConnect', () => {
      isReused = socket.isSessionReused();
      socket.write(REQUEST);
    });
    socket.once('data', (text: string) => {
      isAnswered = text.startsWith('HTTP/1.1 200 ');
      socket.end();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      underWay -= 1;
      if (isReused && isAnswered) trips.returned(began, performance.now());
      else trips.errors += 1;
    });
  };
  const start = performance.now();
  let begun = 0;
  for (;;) {
    const elapsed = performance.now() - start;
    if (elapsed >= seconds * 1000) break;
    for (const due = (elapsed * RESUMPTIONS) / 1000; begun < due; begun += 1)
      if (underWay < MOST_AT_ONCE) ask();
    await sleep(TICK_MS);
  }
  while (underWay > 0) await sleep(TICK_MS);
}
