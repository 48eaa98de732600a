import { keyKind } from '../../src/model/resource.ts';
import type { Universe } from '../world/universe.ts';
import type { Checker } from './checker.ts';

/**
 * A start reads the last good that was saved last, or a newer one that was under way, whole; after healing the disk
 * holds what serves. A start serves it, also where users wish another version by then that cannot serve.
 */
export function lastGood(): Checker {
  return {
    name: 'last good survives any crash point',
    always(universe) {
      forgetReplaced(universe);
      return universe.lastGood.wrong ?? unserved(universe);
    },
    converged({ agent, lastGood: watched }) {
      const { version } = agent.store.lastGood();
      if (watched.version === version) return null;
      return `version ${version.slice(0, 12)} serves, but on disk is ${watched.version?.slice(0, 12) ?? 'nothing that is known'}`;
    },
  };
}

/**
 * A version that one worker alone cannot take serves while that worker is away, and is the last good from then on. When
 * that worker is the first to come back, nobody serves any.
 */
function forgetReplaced({ agent, lastGood: watched, workload }: Universe): void {
  for (const key of watched.inherited) {
    const serving = agent.store.serving.get(key);
    if (serving !== undefined && workload.isFlawed(serving)) watched.removed([key]);
  }
}

/** Of what needs no port: what served before the start, is wished in a version that cannot serve, and does not serve. */
function unserved({ agent, lastGood: { inherited }, workload }: Universe): string | null {
  const { store } = agent;
  if (!store.settled || store.failures.length === 0) return null;
  for (const { key, reason } of store.failures) {
    const wished = store.wished.get(key);
    const needsNothing = keyKind(key) === 'route' || keyKind(key) === 'endpoint';
    if (!needsNothing || !inherited.has(key) || wished === undefined || !workload.isFlawed(wished)) continue;
    if (!store.serving.has(key))
      return `${key} was in use before the restart, and its new version cannot serve (${reason}); now none serves`;
  }
  return null;
}
