import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../../actors/catalogue.ts';
import type { Behavior, Step } from '../../supervisors/behavior.ts';
import { machineBehavior } from '../../supervisors/behavior.ts';
import { DECLARED } from './declared.ts';
import { table } from './table.ts';
import type { ActorWorld, WorldEvent } from './worlds.ts';
import { WORLDS } from './worlds.ts';

/** One actor's life in its world: who drives it picks from what may come. */
class Life {
  readonly #behavior: Behavior;
  readonly #world: ActorWorld;
  readonly #declared: (typeof DECLARED)[keyof typeof DECLARED];
  readonly #reasons: readonly string[];
  readonly #armed = new Set<string>();
  readonly #seen: Set<string>;
  readonly story: string[] = [];
  step: Step;

  constructor(kind: keyof typeof MACHINES, behavior: Behavior, world: ActorWorld, seen: Set<string>) {
    this.#behavior = behavior;
    this.#world = world;
    this.#declared = DECLARED[kind];
    this.#reasons = MACHINES[kind].REASONS;
    this.#seen = seen;
    this.step = behavior.start(world.input);
    this.#check('started');
  }

  get ended(): boolean {
    return this.step.ended !== null;
  }

  possible(): WorldEvent[] {
    return [...this.#world.possible(this.step.state), ...this.#timers()];
  }

  owed(): WorldEvent[] {
    return [...this.#world.owed(this.step.state), ...this.#timers()];
  }

  take(event: WorldEvent): void {
    const { state } = this.step;
    if (event.type === 'timer.fired') this.#armed.delete(String(event.timer));
    this.#world.said(event);
    this.step = this.#behavior.receive(this.step.snapshot, event);
    this.story.push(`${state} × ${event.type} → ${this.step.state} (${this.step.reason})`);
    this.#seen.add(`${state} × ${event.type}`);
    assert.notEqual(this.step.outcome, 'unexpected', `nothing is listed for it: ${this.#told()}`);
    assert.ok(this.#reasons.includes(this.step.reason), this.#told());
    this.#check(event.type);
  }

  #timers(): WorldEvent[] {
    return [...this.#armed].map((timer) => ({ type: 'timer.fired', timer }));
  }

  #check(event: string): void {
    assert.ok(this.step.state in this.#declared.states, this.#told());
    for (const effect of this.step.effects) {
      assert.ok(effect.type in this.#declared.effects, `${effect.type} at ${event}: ${this.#told()}`);
      const timer = String(effect.params.timer);
      if (effect.type === 'startTimer') {
        assert.ok(Number(effect.params.ms) >= 0, this.#told());
        this.#armed.add(timer);
      } else if (effect.type === 'cancelTimer') this.#armed.delete(timer);
      else this.#world.carryOut(effect);
    }
    if (this.ended) assert.deepEqual([...this.#armed], [], `timers are left: ${this.#told()}`);
  }

  #told(): string {
    return `\n  ${this.story.join('\n  ')}`;
  }

  /** Asked to stop, and with nothing but what the world owes it. */
  end(picks: readonly number[]): void {
    if (!this.ended) this.take({ type: 'stop' });
    for (const pick of picks) {
      if (this.ended) return;
      const owed = this.owed();
      assert.ok(owed.length > 0, `a dead end: ${this.#told()}`);
      this.take(owed[pick % owed.length]!);
    }
    assert.ok(this.ended, `it does not end: ${this.#told()}`);
  }
}

for (const [kind, worlds] of Object.entries(WORLDS) as [keyof typeof MACHINES, (() => ActorWorld)[]][]) {
  const machine = MACHINES[kind].machine as unknown as AnyStateMachine;
  const behavior = machineBehavior(machine);
  const seen = new Set<string>();
  const picks = fc.array(fc.nat(1_000), { maxLength: 60 });
  const ending = fc.array(fc.nat(1_000), { minLength: 12, maxLength: 12 });

  test(`${kind}: whatever its world may say finds it prepared, and a stop always ends it`, () => {
    fc.assert(
      fc.property(fc.nat(worlds.length - 1), picks, ending, (which, walk, last) => {
        const life = new Life(kind, behavior, worlds[which]!(), seen);
        for (const pick of walk) {
          if (life.ended) break;
          const possible = life.possible();
          if (possible.length === 0) break;
          life.take(possible[pick % possible.length]!);
        }
        life.end(last);
      }),
      { numRuns: 2_000 },
    );
  });

  test(`${kind}: every transition to another state that its table lists can happen in its world`, () => {
    // Always the same walks: how much of a table they find must not be a matter of luck.
    for (const [index, walk] of fc.sample(picks, { seed: 1, numRuns: 5_000 }).entries()) {
      const life = new Life(kind, behavior, worlds[index % worlds.length]!(), seen);
      for (const pick of walk) {
        if (life.ended) break;
        const possible = life.possible();
        life.take(possible[pick % possible.length]!);
      }
    }
    const never: string[] = [];
    for (const [state, events] of table(machine))
      for (const [event, outcomes] of events)
        if (outcomes.some(({ target }) => target !== null) && !seen.has(`${state} × ${event}`))
          never.push(`${state} × ${event}`);
    assert.deepEqual(never, []);
  });
}

for (const [kind, { machine: typed, REASONS }] of Object.entries(MACHINES)) {
  const machine = typed as unknown as AnyStateMachine;
  const { events, states } = DECLARED[kind as keyof typeof MACHINES];

  test(`${kind}: its table has every pair of a declared state and a declared event`, () => {
    assert.deepEqual(Object.keys(machine.states).sort(), Object.keys(states).sort());
    assert.deepEqual([...machine.events].sort(), Object.keys(events).sort());
    for (const listed of table(machine).values())
      assert.deepEqual([...listed.keys()].sort(), Object.keys(events).sort());
  });

  test(`${kind}: reasons are told apart`, () => assert.equal(new Set(REASONS).size, REASONS.length));
}

test('upstream-pool: who opens it anew starts without ejected endpoints, who changes it keeps them', () => {
  const behavior = machineBehavior(MACHINES['upstream-pool'].machine as unknown as AnyStateMachine);
  const world = WORLDS['upstream-pool']![0]!();
  const anew = (step: Step) =>
    step.effects.flatMap(({ type, params }) => (type === 'openPool' ? [params.anew] : []));
  let step = behavior.start(world.input);
  assert.deepEqual(anew(step), [true]);
  const tell = (event: WorldEvent) => {
    step = behavior.receive(step.snapshot, event);
    return anew(step);
  };
  const { cluster } = world.input as { cluster: unknown };
  tell({ type: 'endpoint.failing', endpoint: 'e', reason: 'refused', failures: 5 });
  assert.deepEqual(tell({ type: 'changed', cluster }), [false]);
  assert.deepEqual(tell({ type: 'reopen', cluster, limitSlot: 1 }), [false]);
  tell({ type: 'stop' });
  assert.deepEqual(tell({ type: 'reopen', cluster, limitSlot: 1 }), [true]);
});
