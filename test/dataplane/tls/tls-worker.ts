import { parentPort, workerData } from 'node:worker_threads';
import type { Certificate } from '../../../src/model/certificate.ts';
import { cluster, endpoint, route, start } from '../harness.ts';
import { certificateResources, listenerTls } from './harness.ts';

/** A data plane with TLS on a thread of its own: says its port, and serves until it is told to end, or how. */
const { certificate, backend } = workerData as { certificate: Certificate; backend: number };
const { dataplane, port } = await start({
  listener: { protocol: 'HTTPS', tls: listenerTls([certificate]) },
  resources: [
    ...certificateResources([certificate]),
    { kind: 'cluster', value: cluster() },
    { kind: 'endpoint', value: endpoint(backend) },
    { kind: 'route', value: route() },
  ],
});
parentPort!.once('message', (how: 'shutdown' | 'exit' | 'throw') => {
  if (how === 'exit') process.exit(0);
  if (how === 'throw') throw new Error('the thread ends');
  dataplane.shutdown();
  parentPort!.close();
});
parentPort!.postMessage(port);
