import type { Readiness } from '../model/admin.ts';

export interface ReadinessFacts {
  /** A whole configuration is in use. */
  readonly settled: boolean;
  /** Why there is no stream from the controller; empty while there is one. */
  readonly streamProblem: string;
  readonly workers: readonly {
    readonly name: string;
    /** It takes traffic with the configuration in use. */
    readonly serves: boolean;
    /** It has served before: while it restarts, the others carry on. */
    readonly served: boolean;
    /** Why it was given up; empty is not. */
    readonly givenUp: string;
    /** An earlier thread of it is still there, and with it a socket on its ports that nobody serves. */
    readonly cannotBeEnded: boolean;
  }[];
  /** Why the agent's own supervision ended; empty while it runs. */
  readonly ended: string;
}

/**
 * Ready: a configuration is in use, every worker has come up once, at least one serves now, and none keeps failing.
 * A lost controller does not count, nor a worker that is being restarted: what serves goes on serving.
 */
export function readiness(facts: ReadinessFacts): Readiness {
  const reasons: string[] = [];
  if (facts.ended !== '') reasons.push(`the agent has stopped: ${facts.ended}`);
  if (!facts.settled)
    reasons.push(
      facts.streamProblem === ''
        ? 'no configuration is in use yet'
        : `no configuration is in use yet, and there is no controller: ${facts.streamProblem}`,
    );
  for (const { name, served, givenUp, cannotBeEnded } of facts.workers) {
    if (cannotBeEnded)
      reasons.push(`${name}'s old thread cannot be ended and holds its ports; restart the agent`);
    if (givenUp !== '') reasons.push(`${name} keeps failing: ${givenUp}`);
    else if (!served) reasons.push(`${name} has not come up yet`);
  }
  if (reasons.length === 0 && !facts.workers.some((worker) => worker.serves))
    reasons.push('no dataplane worker serves');
  return { ready: reasons.length === 0, reasons };
}
