import { parentPort, workerData } from 'node:worker_threads';
import { cluster, endpoint, route, start } from './harness.ts';

/** A dataplane on a thread of its own, for `pool.test.ts`: says its port, and serves until it is told to end. */
const { worker, limits, backend, settings } = workerData as {
  worker: number;
  limits: SharedArrayBuffer;
  backend: number;
  settings: Parameters<typeof cluster>[0];
};
const { dataplane, port } = await start({
  worker,
  limits,
  resources: [
    { kind: 'cluster', value: cluster(settings) },
    { kind: 'endpoint', value: endpoint(backend) },
    { kind: 'route', value: route() },
  ],
});
parentPort!.once('message', () => {
  dataplane.shutdown();
  parentPort!.close();
});
parentPort!.postMessage(port);
