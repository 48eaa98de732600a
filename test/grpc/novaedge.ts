import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { CLUSTER_TLS_DEFAULTS } from '../../src/model/tls.ts';
import { TestAuthority } from '../certificates.ts';
import { cluster, startProxy } from '../dataplane/harness.ts';
import { startSecure } from '../dataplane/tls/harness.ts';
import { putOn, takeOff } from '../tls-adapters.ts';
import type { Path } from './stack.ts';

const { maxConcurrentStreams } = CLUSTER_DEFAULTS;
// A thousand streams of one connection are what one case is about.
const http = { ...HTTP_DEFAULTS, http2: { ...HTTP_DEFAULTS.http2, maxConcurrentStreams: 1000 } };

/** The data plane, with HTTP/2 in clear text on both sides. */
export const novaedge: Path = async (context, backendPort) => {
  const { port } = await startProxy(context, [backendPort], {
    listener: { http },
    more: [{ kind: 'cluster', value: cluster({ protocol: 'HTTP2', maxConcurrentStreams }) }],
  });
  return port;
};

/** The same over TLS on both sides, where ALPN alone says that it is HTTP/2. */
export const novaedgeOverTls: Path = async (context, backendPort) => {
  const authority = await TestAuthority.create();
  const [front, back] = [
    await authority.issue('default/front', ['grpc.test']),
    await authority.issue('back', ['backend.test']),
  ];
  const ALPNProtocols = ['h2'];
  const shown = { cert: back.chain, key: back.privateKey, ALPNProtocols };
  const { port } = await startSecure(context, [await takeOff(context, backendPort, shown)], {
    certificates: [front],
    listener: { http },
    more: [
      {
        kind: 'cluster',
        value: cluster({
          protocol: 'Auto',
          tls: { ...CLUSTER_TLS_DEFAULTS, ca: authority.pem, serverName: 'backend.test' },
          maxConcurrentStreams,
        }),
      },
    ],
  });
  return putOn(context, port, { servername: 'grpc.test', ca: authority.pem, ALPNProtocols });
};
