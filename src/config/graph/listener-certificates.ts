import type { ResourceKey } from '../../model/resource.ts';
import type { CertificateFault } from '../certificate/read-certificate.ts';
import type { ListenerSpec } from '../crds/proxy-gateway.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { type Issue, valueText } from '../validate/issue.ts';
import type { AuthoritiesState, CertificateState, TlsMaterial } from './certificates.ts';
import { unresolved } from './finding.ts';
import type { AuthoritiesReference, CertificateReference } from './tls-references.ts';

type States = Pick<TlsMaterial, 'certificates' | 'authorities'>;

/** What an object is told of the certificates it names. */
export function certificateIssues(references: readonly CertificateReference[], states: States): Issue[] {
  const issues: Issue[] = [];
  for (const reference of references) {
    const state = states.certificates.get(reference.name);
    if (state === undefined) continue;
    if (state.fault !== null) issues.push(faultIssue(reference, state.fault, state.serving !== null));
    for (const warning of state.warnings) {
      issues.push({
        severity: 'warning',
        path: reference.path,
        reason: warning.reason,
        message: textOf(reference, warning),
        value: valueText(reference.value),
      });
    }
  }
  return issues;
}

export function authoritiesIssues(
  reference: AuthoritiesReference,
  state: AuthoritiesState | undefined,
): Issue[] {
  const fault = state?.fault ?? null;
  return fault === null ? [] : [faultIssue(reference, fault, state?.pem != null)];
}

function faultIssue(
  reference: CertificateReference | AuthoritiesReference,
  fault: CertificateFault,
  lastGoodServes: boolean,
): Issue {
  const tail = lastGoodServes ? '; the one in use before serves on' : '';
  return unresolved(reference.path, fault.reason, `${textOf(reference, fault)}${tail}`, reference.value);
}

function textOf({ origin }: CertificateReference | AuthoritiesReference, fault: CertificateFault): string {
  if (origin.type !== 'secret') return `${fault.field} ${fault.message}`;
  if (fault.reason === 'SecretNotFound') return `there is no Secret ${origin.secret}`;
  return `Secret ${origin.secret}: ${fault.field} ${fault.message}`;
}

/** Hosts of a listener that none of its certificates is for; none is told where one of them does not serve. */
export function uncoveredHosts(
  listener: ListenerSpec,
  references: readonly CertificateReference[],
  states: States,
  path: FieldPath,
): Issue[] {
  const serving = references.map(({ name }) => states.certificates.get(name));
  if (references.length === 0 || serving.some((state) => state === undefined || state.leaf === null))
    return [];
  return (listener.hostnames ?? []).flatMap((hostname, index): Issue[] => {
    if (serving.some((state) => covers(state!, hostname))) return [];
    return [
      {
        severity: 'warning',
        path: [...path, 'hostnames', index],
        reason: 'HostnameNotCovered',
        message: `no certificate of listener "${listener.name}" is for ${hostname}: clients will not believe it`,
        value: valueText(hostname),
      },
    ];
  });
}

/** Only names under subjectAltName count (RFC 9525 section 2). A wildcard of a certificate stands for one label. */
function covers({ leaf }: CertificateState, hostname: string): boolean {
  const host = hostname.startsWith('*.') ? `any${hostname.slice(1)}` : hostname;
  return leaf?.checkHost(host, { subject: 'never' }) !== undefined;
}

/** Keys of the certificates that serve. */
export function certificateKeys(
  references: readonly CertificateReference[],
  { certificates }: States,
): readonly ResourceKey[] {
  return references
    .filter(({ name }) => certificates.get(name)?.serving != null)
    .map(({ name }) => `certificate/${name}`);
}
