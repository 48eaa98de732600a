import type { Listener } from '../../model/gateway.ts';
import type { ListenerSpec } from '../crds/proxy-gateway.ts';
import { durationMs } from '../duration.ts';

/** What a checked listener says of HTTP and of clients behind proxies. Lists in one order, so that equal is equal. */
export function listenerSettings({
  http,
  clientAddress,
}: ListenerSpec): Pick<Listener, 'http' | 'clientAddress'> {
  const { timeouts } = http;
  return {
    http: {
      path: { ...http.path },
      underscores: http.underscores,
      limits: { ...http.limits },
      timeouts: {
        headerMs: durationMs(timeouts.header),
        bodyIdleMs: durationMs(timeouts.bodyIdle),
        requestMs: durationMs(timeouts.request),
        idleMs: durationMs(timeouts.idle),
        writeMs: durationMs(timeouts.write),
        tunnelIdleMs: durationMs(timeouts.tunnelIdle),
      },
      http1: http.http1.enabled,
      http2: { ...http.http2 },
    },
    clientAddress: {
      trustedProxies: [...clientAddress.trustedProxies].sort(),
      trustedHops: clientAddress.trustedHops,
      header: clientAddress.header,
      send: clientAddress.send,
      proxyProtocolFrom: [...clientAddress.proxyProtocolFrom].sort(),
    },
  };
}
