import { cidrFault, hostnameFault } from './address-rules.ts';
import type { Report } from './issue.ts';
import { listenerTlsRules } from './tls-rules.ts';
import type { TypedObject } from './typed-object.ts';

export function gatewayRules(gateway: TypedObject<'ProxyGateway'>, report: Report, warn: Report): void {
  const names = new Set<string>();
  for (const [index, listener] of gateway.content.spec.listeners.entries()) {
    const path = ['spec', 'listeners', index] as const;
    if (names.has(listener.name)) {
      report(
        [...path, 'name'],
        'InvalidValue',
        `another listener is called "${listener.name}" too`,
        listener.name,
      );
    }
    names.add(listener.name);
    listenerTlsRules(listener, path, report, warn);
    for (const field of ['trustedProxies', 'proxyProtocolFrom'] as const) {
      for (const [position, cidr] of listener.clientAddress[field].entries()) {
        const fault = cidrFault(cidr);
        if (fault === null) continue;
        report([...path, 'clientAddress', field, position], 'InvalidValue', `"${cidr}" ${fault}`, cidr);
      }
    }
    if (listener.clientAddress.trustedHops > 0 && listener.clientAddress.trustedProxies.length > 0) {
      report(
        [...path, 'clientAddress', 'trustedHops'],
        'InvalidValue',
        'trustedHops and trustedProxies exclude each other',
        listener.clientAddress.trustedHops,
      );
    }
    if (!listener.http.http1.enabled && !listener.http.http2.enabled) {
      report(
        [...path, 'http', 'http1', 'enabled'],
        'InvalidValue',
        'http1 and http2 cannot both be off',
        false,
      );
    }
    for (const [position, hostname] of (listener.hostnames ?? []).entries()) {
      const fault = hostnameFault(hostname);
      if (fault !== null)
        report([...path, 'hostnames', position], 'InvalidValue', `"${hostname}" ${fault}`, hostname);
    }
  }
}
