import { POLICY_FIELDS } from '../crds/proxy-policy.ts';
import { cidrFault, isAddress } from './address-rules.ts';
import { headerChangesRules } from './header-rules.ts';
import type { Report } from './issue.ts';
import type { TypedObject } from './typed-object.ts';

export function policyRules(policy: TypedObject<'ProxyPolicy'>, report: Report): void {
  const { spec } = policy.content;
  const field = POLICY_FIELDS[spec.type];
  for (const other of Object.values(POLICY_FIELDS)) {
    if (other !== field && spec[other] !== undefined) {
      report(['spec', other], 'InvalidValue', `does not go with type ${spec.type}, which takes "${field}"`);
    }
  }
  if (spec[field] === undefined)
    report(['spec', field], 'MissingField', `must be given for type ${spec.type}`);
  for (const list of ['requestHeaders', 'responseHeaders'] as const) {
    const changes = spec.headers?.[list];
    if (changes !== undefined) headerChangesRules(changes, ['spec', 'headers', list], report);
  }
  for (const list of ['ipAllowList', 'ipDenyList'] as const) {
    for (const [index, cidr] of (spec[list]?.cidrs ?? []).entries()) {
      const fault = cidr.includes('/')
        ? cidrFault(cidr)
        : /[:.]/.test(cidr) && isAddress(cidr)
          ? null
          : 'is no IP address';
      if (fault !== null) report(['spec', list, 'cidrs', index], 'InvalidValue', `"${cidr}" ${fault}`, cidr);
    }
  }
  if (spec.rateLimit?.key === 'Header' && spec.rateLimit.headerName === undefined) {
    report(['spec', 'rateLimit', 'headerName'], 'MissingField', 'must be given for key Header');
  }
  if (spec.type !== 'Headers') {
    report(
      ['spec', 'type'],
      'NotSupported',
      `policies of type ${spec.type} are not supported yet; Headers is`,
      spec.type,
    );
  }
}
