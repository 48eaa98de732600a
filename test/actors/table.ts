import type { AnyStateMachine } from 'xstate';

export interface Outcome {
  /** State it leads to; null: stays. */
  readonly target: string | null;
  readonly reason: string;
}

type Listed = readonly {
  readonly target?: readonly { readonly key: string }[];
  readonly actions: readonly unknown[];
}[];

/** What a machine's states list for its events, read from its definition. */
export function table(machine: AnyStateMachine): Map<string, Map<string, readonly Outcome[]>> {
  const states = new Map<string, Map<string, readonly Outcome[]>>();
  for (const [name, state] of Object.entries(machine.states)) {
    if (state.type === 'final') continue;
    const events = new Map<string, readonly Outcome[]>();
    for (const event of machine.events) {
      const listed = ((state.on as Record<string, Listed>)[event] ??
        (machine.root.on as Record<string, Listed>)[event] ??
        []) as Listed;
      events.set(
        event,
        listed.map((transition) => ({
          target: transition.target?.[0]?.key ?? null,
          reason: transition.actions.map(reasonOf).find((reason) => reason !== '') ?? '',
        })),
      );
    }
    states.set(name, events);
  }
  return states;
}

export function finalStates(machine: AnyStateMachine): string[] {
  return Object.entries(machine.states).flatMap(([name, state]) => (state.type === 'final' ? [name] : []));
}

/** Targets of transitions that need no event. */
export function alwaysTargets(machine: AnyStateMachine, state: string): string[] {
  return (machine.states[state]!.always ?? []).flatMap((transition) =>
    (transition.target ?? []).map((target) => target.key),
  );
}

export function tableText(machine: AnyStateMachine): string {
  let text = '';
  for (const [state, events] of table(machine)) {
    text += `${state}\n`;
    for (const [event, outcomes] of events) {
      const said = outcomes.map(({ target, reason }) =>
        target === null ? reason : `${reason} -> ${target}`,
      );
      text += `  ${event.padEnd(20)} ${said.length === 0 ? '(unexpected)' : said.join(' | ')}\n`;
    }
    const free = alwaysTargets(machine, state);
    if (free.length > 0) text += `  ${'(at once)'.padEnd(20)} -> ${free.join(' | ')}\n`;
  }
  return `${text}final: ${finalStates(machine).join(', ')}\n`;
}

function reasonOf(action: unknown): string {
  if (typeof action !== 'object' || action === null || !('type' in action) || action.type !== 'because')
    return '';
  return String((action as { params?: { reason?: string } }).params?.reason ?? '');
}
