import type { AnyActorScope, AnyStateMachine, SnapshotFrom } from 'xstate';
import { createEmptyActor } from 'xstate';

export interface ActorEvent {
  readonly type: string;
}

/** An effect as a machine names it; what it does is bound outside. */
export interface NamedEffect {
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What came of one event. */
export interface Step {
  readonly snapshot: unknown;
  readonly state: string;
  readonly reason: string;
  readonly effects: readonly NamedEffect[];
  /** `unexpected`: the state lists nothing for this event. */
  readonly outcome: 'taken' | 'ignored' | 'unexpected';
  /** How the actor ended with this step; null: it goes on. */
  readonly ended: 'normal' | 'abnormal' | null;
  /** Why it ended, for people; `reason` alone where it is not set. */
  readonly message?: string;
}

/** A lifetime as a pure function from event to step: all that the actor system and a replay know of an actor. */
export interface Behavior {
  start(input: unknown): Step;
  receive(snapshot: unknown, event: ActorEvent): Step;
  /** The longest mailbox it may have, and what then happens to the newest event or the oldest. */
  readonly mailbox: { readonly limit: number; readonly overflow: 'drop-newest' | 'drop-oldest' };
  /** The part of its memory that is worth showing; JSON. */
  describe(snapshot: unknown): unknown;
  /** All that its future depends on, as JSON; `restore` undoes it. Pending timers are not in it: they are events. */
  save(snapshot: unknown): unknown;
  /** @throws where the memory is of another version of the machine */
  restore(memory: unknown): unknown;
}

/**
 * An xstate machine as a behavior; no actor of the machine is ever created. This is what xstate's `transition` does
 * too, but that makes a whole actor for each event, which costs more than the transition.
 */
export function machineBehavior(
  machine: AnyStateMachine,
  mailbox: Behavior['mailbox'] = { limit: 10_000, overflow: 'drop-newest' },
): Behavior {
  type Snapshot = SnapshotFrom<AnyStateMachine>;
  type Actions = Parameters<typeof step>[1][number][];
  let actions: Actions = [];
  const self = createEmptyActor();
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor: (action) => actions.push(action),
  };
  const collect = (run: () => unknown): readonly [Snapshot, Actions] => {
    actions = [];
    return [run() as Snapshot, actions];
  };
  return {
    mailbox,
    start(input) {
      const [snapshot, executed] = collect(() => machine.getInitialSnapshot(scope, input));
      return step(snapshot, executed, 'started', true);
    },
    receive(before, event) {
      const snapshot = before as Snapshot;
      if (machine.getTransitionData(snapshot, event as never).length === 0)
        return { ...step(snapshot, [], 'unexpected', false), outcome: 'unexpected' };
      const [next, executed] = collect(() => machine.transition(snapshot, event, scope));
      return step(
        next,
        executed,
        'unnamed',
        next.value !== snapshot.value || next.context !== snapshot.context,
      );
    },
    describe: (snapshot) => (snapshot as Snapshot).context,
    save(snapshot) {
      const { value, context, status } = snapshot as Snapshot;
      return { value, context, status };
    },
    restore(memory) {
      const { value, context, status } = memory as Pick<Snapshot, 'value' | 'context' | 'status'>;
      return machine.resolveState({ value, context, status });
    },
  };
}

function step(
  snapshot: SnapshotFrom<AnyStateMachine>,
  actions: readonly { readonly type: string; readonly params?: unknown }[],
  defaultReason: string,
  moved: boolean,
): Step {
  let reason = defaultReason;
  const effects: NamedEffect[] = [];
  for (const action of actions) {
    const params = (action.params ?? {}) as Readonly<Record<string, unknown>>;
    if (action.type === 'because') reason = String(params.reason);
    else effects.push({ type: action.type, params });
  }
  // A machine's output is what it says of its end.
  const output: unknown = snapshot.output;
  return {
    ...(typeof output === 'string' && output !== '' ? { message: output } : {}),
    snapshot,
    state: stateText(snapshot.value),
    reason,
    effects,
    outcome: moved || effects.length > 0 ? 'taken' : 'ignored',
    ended: snapshot.status !== 'done' ? null : snapshot.hasTag('abnormal') ? 'abnormal' : 'normal',
  };
}

/** `streaming.idle` for nested states. */
function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name}.${stateText(inner)}`)
    .join('|');
}
