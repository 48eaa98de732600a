import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../actors/catalogue.ts';
import { addressKind } from '../supervisors/address.ts';
import type { JournalRecord } from '../supervisors/record.ts';

/** `rollout preparing timer.fired answer_timeout`: kind, state before, event, reason. */
export type Transition = string;

/** Every transition that the machines list for an event, ignored ones too. */
export function listedTransitions(): ReadonlySet<Transition> {
  const listed = new Set<Transition>();
  for (const [kind, { machine }] of Object.entries(MACHINES))
    for (const [state, node] of Object.entries((machine as AnyStateMachine).states)) {
      if (node.type === 'final') continue;
      const root = machine.root.on as Transitions;
      for (const [event, transitions] of Object.entries({ ...root, ...(node.on as Transitions) }))
        for (const { actions } of transitions)
          for (const reason of reasonsOf(actions)) listed.add(`${kind} ${state} ${event} ${reason}`);
    }
  return listed;
}

/** What the records of one run took, added to `seen`. */
export function addTransitions(seen: Set<Transition>, records: Iterable<JournalRecord>): void {
  const states = new Map<string, string>();
  for (const { actor, event, state, reason } of records) {
    const before = states.get(actor);
    if (state !== undefined) states.set(actor, state);
    if (before === undefined || event.type === 'actor.start' || state === undefined) continue;
    const kind = addressKind(actor);
    if (kind in MACHINES) seen.add(`${kind} ${before} ${event.type} ${reason}`);
  }
}

type Transitions = Readonly<Record<string, readonly { readonly actions: readonly unknown[] }[]>>;

function reasonsOf(actions: readonly unknown[]): string[] {
  return actions.flatMap((action) => {
    const { type, params } = action as {
      readonly type?: string;
      readonly params?: { readonly reason?: string };
    };
    return type === 'because' && params?.reason !== undefined ? [params.reason] : [];
  });
}
