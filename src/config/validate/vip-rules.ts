import { cidrFault } from './address-rules.ts';
import type { Report } from './issue.ts';
import type { TypedObject } from './typed-object.ts';

/** Qualified name and value of a label, apimachinery validation. */
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

export function vipRules(vip: TypedObject<'ProxyVIP'>, report: Report): void {
  const { address, nodeSelector } = vip.content.spec;
  const fault = cidrFault(address);
  if (fault !== null) report(['spec', 'address'], 'InvalidValue', `"${address}" ${fault}`, address);
  for (const [name, value] of Object.entries(nodeSelector?.matchLabels ?? {})) {
    if (!LABEL_KEY.test(name) || !LABEL_VALUE.test(value)) {
      report(
        ['spec', 'nodeSelector', 'matchLabels', name],
        'InvalidValue',
        `"${name}: ${value}" is not a node label`,
        value,
      );
    }
  }
}
