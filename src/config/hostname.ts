/**
 * What two host names of listener or route have in common, null where nothing. A wildcard stands for one or more
 * labels (Gateway API, HTTPRoute hostnames): `*.example.com` takes `a.example.com` and `a.b.example.com`.
 */
export function intersectHostname(a: string, b: string): string | null {
  if (a === b) return a;
  if (covers(a, b)) return b;
  if (covers(b, a)) return a;
  return null;
}

function covers(wide: string, narrow: string): boolean {
  return (
    wide.startsWith('*.') &&
    narrow.replace(/^\*/, '').endsWith(wide.slice(1)) &&
    narrow.length > wide.length - 1
  );
}

/** Intersection of two sets of host names, where an empty set is every host; null where nothing is left. */
export function intersectHostnames(
  listener: readonly string[],
  route: readonly string[],
): readonly string[] | null {
  if (route.length === 0) return [];
  if (listener.length === 0) return [...route].sort();
  const common = new Set<string>();
  for (const a of listener) {
    for (const b of route) {
      const both = intersectHostname(a, b);
      if (both !== null) common.add(both);
    }
  }
  return common.size === 0 ? null : [...common].sort();
}
