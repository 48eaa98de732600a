import { isAddress } from './address-rules.ts';
import type { Report } from './issue.ts';
import { sameNamespace } from './route-rules.ts';
import type { TypedObject } from './typed-object.ts';

export function backendRules(backend: TypedObject<'ProxyBackend'>, report: Report): void {
  const { serviceRef, endpoints, lbPolicy } = backend.content.spec;
  if (serviceRef === undefined && endpoints === undefined) {
    report(['spec', 'serviceRef'], 'MissingField', 'must be given (or endpoints)');
  }
  if (serviceRef !== undefined && endpoints !== undefined) {
    report(['spec', 'endpoints'], 'InvalidValue', 'serviceRef and endpoints exclude each other');
  }
  sameNamespace(serviceRef?.namespace, backend.ref.namespace, ['spec', 'serviceRef', 'namespace'], report);
  const known = new Set<string>();
  for (const [index, { address, port }] of (endpoints ?? []).entries()) {
    const path = ['spec', 'endpoints', index, 'address'];
    if (!isAddress(address)) {
      report(
        path,
        'InvalidValue',
        `${JSON.stringify(address)} is neither an IP address nor a DNS name`,
        address,
      );
    }
    const id = `${address} ${port}`;
    if (known.has(id)) report(path, 'InvalidValue', `${address} port ${port} is listed twice`, address);
    known.add(id);
  }
  if (lbPolicy !== 'RoundRobin') {
    report(
      ['spec', 'lbPolicy'],
      'NotSupported',
      `lbPolicy ${lbPolicy} is not supported yet; RoundRobin is`,
      lbPolicy,
    );
  }
}
