import { HASH_POLICIES } from '../snapshot/cluster-settings.ts';
import { isAddress } from './address-rules.ts';
import { sameNamespace } from './backend-ref-rules.ts';
import type { Report } from './issue.ts';
import { backendTlsRules } from './tls-rules.ts';
import type { TypedObject } from './typed-object.ts';

export function backendRules(backend: TypedObject<'ProxyBackend'>, report: Report, warn: Report): void {
  const { serviceRef, endpoints, tls } = backend.content.spec;
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
  hashRules(backend, report);
  if (tls !== undefined) backendTlsRules(tls, ['spec', 'tls'], report, warn);
  connectionRules(backend, report);
}

function connectionRules(backend: TypedObject<'ProxyBackend'>, report: Report): void {
  const { pool, protocol, proxyProtocol } = backend.content.spec;
  if (proxyProtocol !== undefined && protocol === 'HTTP2') {
    report(
      ['spec', 'proxyProtocol'],
      'InvalidValue',
      'does not go with protocol HTTP2, where clients share connections',
      proxyProtocol,
    );
  }
  if (proxyProtocol !== undefined && pool.warmConnections > 0) {
    report(
      ['spec', 'pool', 'warmConnections'],
      'InvalidValue',
      'does not go with proxyProtocol, where a connection is made for one client',
      pool.warmConnections,
    );
  }
}

function hashRules(backend: TypedObject<'ProxyBackend'>, report: Report): void {
  const { hash, lbPolicy } = backend.content.spec;
  if (hash === undefined) return;
  const path = ['spec', 'hash'];
  if (!HASH_POLICIES.has(lbPolicy)) {
    report(path, 'InvalidValue', `does not go with lbPolicy ${lbPolicy}; RingHash and Maglev take it`);
  }
  for (const [type, field] of [
    ['Header', 'header'],
    ['Cookie', 'cookie'],
  ] as const) {
    if (hash.type === type && hash[field] === undefined)
      report([...path, field], 'MissingField', `must be given for type ${type}`);
    if (hash.type !== type && hash[field] !== undefined)
      report([...path, field], 'InvalidValue', `does not go with type ${hash.type}`);
  }
}
