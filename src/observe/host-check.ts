import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Guards against DNS rebinding: a page of another site may point its own name at this address and read the answers,
 * but it cannot choose the Host header. Allowed are loopback names and addresses, the host that was asked to listen
 * on, the address that the connection came in on, and names given by the operator. The port does not matter, so
 * that port forwarding works.
 */
export function isAllowedHost(
  hostHeader: string,
  allowed: { readonly names: ReadonlySet<string>; readonly localAddress: string | undefined },
): boolean {
  const host = hostWithoutPort(hostHeader);
  if (host === null) return false;
  if (host === 'localhost' || host.endsWith('.localhost') || allowed.names.has(host)) return true;
  const family = isIP(host);
  if (family === 0) return false;
  if (LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')) return true;
  return allowed.localAddress !== undefined && host === allowed.localAddress.replace(/^::ffff:/, '');
}

/** `a.example:80` → `a.example`, `[::1]:80` → `::1`, lower case, without a final dot; null where it is none. */
export function hostWithoutPort(hostHeader: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+))(?::\d{0,5})?$/.exec(hostHeader);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? null : host.toLowerCase().replace(/\.$/, '');
}
