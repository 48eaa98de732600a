import type { NodeSelector } from '../../model/configuration.ts';
import type { ResourceKey } from '../../model/resource.ts';
import { KeyedMemo } from '../memo.ts';
import type { TypedObject } from '../validate/typed-object.ts';
import { type Finding, keyed, type ObjectSet, PLAIN } from './finding.ts';

/** ProxyVIPs refer to nothing: which nodes they select is for those who know the nodes. */
export class VipGrapher {
  readonly #memo = new KeyedMemo<readonly [TypedObject<'ProxyVIP'>], Finding>();

  graph(vips: ObjectSet['ProxyVIP']): ReadonlyMap<string, Finding> {
    const findings = new Map<string, Finding>();
    for (const vip of vips.values()) findings.set(vip.name, this.#memo.get(vip.name, [vip], graphVip));
    this.#memo.endRound();
    return findings;
  }
}

function graphVip(vip: TypedObject<'ProxyVIP'>): Finding {
  const { address, mode, ports, healthPolicy } = vip.content.spec;
  return {
    ...PLAIN,
    resources: [
      keyed({
        kind: 'vip',
        value: {
          name: vip.name,
          address,
          mode,
          ports: ports ?? [],
          minHealthyNodes: healthPolicy.minHealthyNodes,
        },
      }),
    ],
  };
}

export function vipSelectors(vips: ObjectSet['ProxyVIP']): ReadonlyMap<ResourceKey, NodeSelector> {
  const selectors = new Map<ResourceKey, NodeSelector>();
  for (const vip of vips.values()) {
    const matchLabels = vip.content.spec.nodeSelector?.matchLabels;
    if (matchLabels !== undefined) selectors.set(`vip/${vip.name}`, { matchLabels });
  }
  return selectors;
}
