import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { cluster, startProxy } from '../dataplane/harness.ts';
import type { Path } from './stack.ts';

/** The data plane, with HTTP/2 in clear text on both sides. */
export const novaedge: Path = async (context, backendPort) => {
  const { port } = await startProxy(context, [backendPort], {
    listener: {
      // A thousand streams of one connection are what one case is about.
      http: { ...HTTP_DEFAULTS, http2: { ...HTTP_DEFAULTS.http2, maxConcurrentStreams: 1000 } },
    },
    more: [
      {
        kind: 'cluster',
        value: cluster({ protocol: 'HTTP2', maxConcurrentStreams: CLUSTER_DEFAULTS.maxConcurrentStreams }),
      },
    ],
  });
  return port;
};
