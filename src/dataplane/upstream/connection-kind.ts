import type { Cluster } from '../../model/cluster.ts';

/** Connections that were made before the change can serve after it. */
export function isSpokenToAlike(before: Cluster, after: Cluster): boolean {
  return before.protocol === after.protocol && JSON.stringify(before.tls) === JSON.stringify(after.tls);
}

/** HTTP/2 may come about, and with it connections that many requests share. */
export function mayShare({ protocol, tls, proxyProtocol }: Cluster): boolean {
  if (proxyProtocol !== null || protocol === 'HTTP1') return false;
  return tls !== null || protocol === 'HTTP2';
}

/** A connection that says for whom it is, or to whom, cannot be made for nobody. */
export function isForAnybody(cluster: Cluster): boolean {
  return cluster.proxyProtocol === null && cluster.tls?.serverName !== '';
}
