import type { Checker } from './checker.ts';

/**
 * A start reads the last good that was saved last, or a newer one that was under way, whole; after healing the disk
 * holds what serves.
 */
export function lastGood(): Checker {
  return {
    name: 'last good survives any crash point',
    always: ({ lastGood: watched }) => watched.wrong,
    converged({ agent, lastGood: watched }) {
      const { version } = agent.store.lastGood();
      if (watched.version === version) return null;
      return `version ${version.slice(0, 12)} serves, but on disk is ${watched.version?.slice(0, 12) ?? 'nothing that is known'}`;
    },
  };
}
