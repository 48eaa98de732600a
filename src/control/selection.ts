import type { ConfigurationBuild, NodeSelector } from '../model/configuration.ts';
import type { ResourceKey } from '../model/resource.ts';

export type Labels = Readonly<Record<string, string>>;

const NOTHING: ReadonlySet<ResourceKey> = new Set();

/** Keys of the resources that are not for a node with these labels. */
export function hiddenKeys(build: ConfigurationBuild, labels: Labels): ReadonlySet<ResourceKey> {
  if (build.selectors.size === 0) return NOTHING;
  const hidden = new Set<ResourceKey>();
  for (const [key, selector] of build.selectors) if (!selects(selector, labels)) hidden.add(key);
  return hidden;
}

/** As a Kubernetes label selector: every pair must be there; no pairs select every node. */
export function selects(selector: NodeSelector, labels: Labels): boolean {
  return Object.entries(selector.matchLabels).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}

/** Two nodes with the same signature see the same resources. */
export function signature(hidden: ReadonlySet<ResourceKey>): string {
  return hidden.size === 0 ? '' : [...hidden].sort().join('\n');
}
