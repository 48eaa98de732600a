import { isDeepStrictEqual } from 'node:util';
import type { Listener } from '../../model/gateway.ts';
import type { ListenerSpec } from '../crds/proxy-gateway.ts';
import { listenerSettings } from '../snapshot/listener-settings.ts';
import { listenerTls } from '../snapshot/tls-settings.ts';
import { type Issue, valueText } from '../validate/issue.ts';
import { bySeniority, fullName, type TypedObject } from '../validate/typed-object.ts';
import type { TlsMaterial } from './certificates.ts';
import {
  ACCEPTED,
  type Finding,
  type KeyedResource,
  keyed,
  type ObjectSet,
  resolution,
  unresolved,
  type Verdict,
} from './finding.ts';
import {
  authoritiesIssues,
  certificateIssues,
  certificateKeys,
  uncoveredHosts,
} from './listener-certificates.ts';
import { type CertificateReference, listenerAuthorities, listenerCertificates } from './tls-references.ts';

/** A listener that serves, with what routes need to know of it. */
export interface OpenListener {
  readonly name: string;
  readonly section: string;
  readonly gateway: string;
  readonly hostnames: readonly string[];
}

export interface GatewayGraph {
  readonly findings: ReadonlyMap<string, Finding>;
  /** By `namespace/name` of the gateway. */
  readonly listeners: ReadonlyMap<string, readonly OpenListener[]>;
}

type ListenerSettings = Pick<Listener, 'http' | 'clientAddress'>;

interface PortClaim {
  readonly protocol: ListenerSpec['protocol'];
  readonly owner: string;
  /** Which listener a request is for is known only when its head has been read, under one set of rules. */
  readonly settings: ListenerSettings;
  /** Owner by host; the empty string is every host. */
  readonly hosts: Map<string, string>;
}

/**
 * Decides which listeners are open. Claims on a port are dealt out to the oldest gateway, then by its name, then in
 * the order of its listeners; a listener that is not supported yet claims too, so that nothing changes hands when it
 * will be.
 */
export function graphGateways(
  gateways: ObjectSet['ProxyGateway'],
  vips: ObjectSet['ProxyVIP'],
  certificates: TlsMaterial['certificates'],
  authorities: TlsMaterial['authorities'],
): GatewayGraph {
  const findings = new Map<string, Finding>();
  const listeners = new Map<string, readonly OpenListener[]>();
  const claims = new Map<string, PortClaim>();
  const states = { certificates, authorities };

  for (const gateway of [...gateways.values()].sort(bySeniority)) {
    const issues: Issue[] = [];
    const open: Listener[] = [];
    const named: CertificateReference[] = [];
    const { spec } = gateway.content;
    const { namespace } = gateway.ref;

    if (spec.vipRef !== undefined && !vips.has(fullName(namespace, spec.vipRef))) {
      issues.push(
        unresolved(
          ['spec', 'vipRef'],
          'VipNotFound',
          `there is no ProxyVIP ${fullName(namespace, spec.vipRef)}`,
          spec.vipRef,
        ),
      );
    }
    for (const [index, listener] of spec.listeners.entries()) {
      const path = ['spec', 'listeners', index];
      const references = listenerCertificates(gateway, listener, path);
      issues.push(
        ...certificateIssues(references, states),
        ...uncoveredHosts(listener, references, states, path),
      );
      const ca = listenerAuthorities(gateway, listener, path);
      const trusted = ca === null ? undefined : authorities.get(ca.origin.id);
      if (ca !== null) issues.push(...authoritiesIssues(ca, trusted));
      const wished = listenerSettings(listener);
      const refusal = claim(claims, gateway.name, listener, wished) ?? supported(listener);
      if (refusal !== null) {
        issues.push({
          severity: 'error',
          path: [...path, ...refusal.path],
          reason: refusal.reason,
          message: refusal.message,
          value: refusal.value,
        });
        continue;
      }
      const { settings, owner } = claims.get(claimKey(listener))!;
      for (const field of ['http', 'clientAddress'] as const) {
        if (isDeepStrictEqual(settings[field], wished[field])) continue;
        issues.push({
          severity: 'warning',
          path: [...path, field],
          reason: 'SettingsConflict',
          message: `the ${field} settings of listener ${owner} hold for all of port ${listener.port}, not these`,
          value: '',
        });
      }
      named.push(...references);
      // Without the authorities it would take everybody, or nobody with a word of why.
      if (ca !== null && trusted?.pem == null) continue;
      open.push({
        name: `${gateway.name}/${listener.name}`,
        gateway: gateway.name,
        port: listener.port,
        protocol: listener.protocol === 'HTTPS' ? 'HTTPS' : 'HTTP',
        ...settings,
        tls:
          listener.protocol === 'HTTPS' && listener.tls !== undefined
            ? listenerTls(
                listener.tls,
                references.map(({ name }) => name),
                trusted?.pem ?? null,
                settings.http,
              )
            : null,
        hostnames: [...(listener.hostnames ?? [])].sort(),
      });
    }
    listeners.set(
      gateway.name,
      open.map((one) => ({
        name: one.name,
        section: one.name.slice(gateway.name.length + 1),
        gateway: gateway.name,
        hostnames: one.hostnames,
      })),
    );
    findings.set(gateway.name, {
      accepted: acceptance(gateway, issues, open.length),
      resolvedRefs: resolution(issues),
      issues,
      resources: [
        keyed({
          kind: 'gateway',
          value: {
            name: gateway.name,
            ingressClassName: spec.ingressClassName,
            vip: spec.vipRef === undefined ? '' : fullName(namespace, spec.vipRef),
          },
        }),
        ...open.map((value) => keyed({ kind: 'listener', value })),
        ...filedCertificates(named, certificates),
      ],
      uses: certificateKeys(
        named.filter(({ origin }) => origin.type === 'secret'),
        states,
      ),
    });
  }
  return { findings, listeners };
}

/** A Secret gives its certificate itself; what comes from files comes with the gateway. */
function filedCertificates(
  references: readonly CertificateReference[],
  certificates: TlsMaterial['certificates'],
): readonly KeyedResource[] {
  return references.flatMap(({ name, origin }) => {
    const value = certificates.get(name)?.serving ?? null;
    return origin.type === 'secret' || value === null ? [] : [keyed({ kind: 'certificate', value })];
  });
}

/** HTTP and HTTPS need the port's TCP side, QUIC-less UDP the other: these two never meet. */
const claimKey = ({ port, protocol }: ListenerSpec): string =>
  `${port}/${protocol === 'UDP' ? 'udp' : 'tcp'}`;

type Refusal = Pick<Issue, 'path' | 'reason' | 'message' | 'value'>;

function claim(
  claims: Map<string, PortClaim>,
  gateway: string,
  listener: ListenerSpec,
  settings: ListenerSettings,
): Refusal | null {
  const { name, port, protocol } = listener;
  const owner = `${gateway}/${name}`;
  const side = claimKey(listener);
  const hosts = listener.hostnames ?? [''];
  const held = claims.get(side);
  if (held === undefined) {
    claims.set(side, { protocol, owner, settings, hosts: new Map(hosts.map((host) => [host, owner])) });
    return null;
  }
  if (held.protocol !== protocol) {
    return {
      path: ['protocol'],
      reason: 'ProtocolConflict',
      message: `listener "${name}" wants ${protocol} on port ${port}, where listener ${held.owner} speaks ${held.protocol}`,
      value: valueText(protocol),
    };
  }
  for (const [index, host] of hosts.entries()) {
    const other = held.hosts.get(host);
    if (other === undefined) continue;
    return {
      path: listener.hostnames === undefined ? ['port'] : ['hostnames', index],
      reason: 'HostnameConflict',
      message: `listener "${name}" claims ${host === '' ? 'every host' : `host ${host}`} on port ${port}, which listener ${other} has`,
      value: valueText(host === '' ? port : host),
    };
  }
  for (const host of hosts) held.hosts.set(host, owner);
  return null;
}

function supported(listener: ListenerSpec): Refusal | null {
  if (listener.protocol === 'HTTP' || listener.protocol === 'HTTPS') return null;
  return {
    path: ['protocol'],
    reason: 'NotSupported',
    message: `protocol ${listener.protocol} of listener "${listener.name}" is not supported yet; HTTP and HTTPS are`,
    value: valueText(listener.protocol),
  };
}

function acceptance(gateway: TypedObject<'ProxyGateway'>, issues: readonly Issue[], open: number): Verdict {
  const refused = issues.filter((issue) => issue.severity === 'error');
  const first = refused[0];
  if (first === undefined) return ACCEPTED;
  const message = refused.map((issue) => issue.message).join('; ');
  if (open > 0) {
    return {
      status: 'True',
      reason: 'ListenersNotValid',
      message: `${open} of ${gateway.content.spec.listeners.length} listeners serve: ${message}`,
    };
  }
  const same = refused.every((issue) => issue.reason === first.reason);
  return { status: 'False', reason: same ? first.reason : 'ListenersNotValid', message };
}
