import assert from 'node:assert/strict';
import type { Policy, Restart } from '../../supervisors/strategy.ts';

export interface ModelChild {
  readonly name: string;
  readonly restart: Restart;
  readonly stopMs: number;
}

interface Wait {
  readonly members: readonly string[];
  readonly from: number;
  readonly to: number;
}

/**
 * One supervisor as the OTP documentation describes it (stdlib, `supervisor`; Design Principles, "Supervisor
 * Behaviour"), with what ours adds: back-off, isolation, deadlines. It is written from those rules: it is shown what
 * happens, entry by entry, and says what may not be, or what should have come by now.
 */
export class OtpModel {
  readonly #policy: Policy;
  readonly #many: boolean;
  /** Specifications in order of start; one that is not restarted is dropped. */
  #specs: ModelChild[];
  readonly #up = new Set<string>();
  /** To be terminated yet, the last one first; and those that have been asked, with their deadlines. */
  #condemned: string[] = [];
  readonly #asked = new Map<string, number>();
  /** What must come before anything else, at this very instant. */
  #must: string[] = [];
  #waits: Wait[] = [];
  readonly #retries = new Map<string, number | null>();
  readonly #failures: { readonly name: string; readonly at: number }[] = [];
  #phase: 'running' | 'stopping' | 'escalating' | 'over' = 'running';
  /** Restarts that it was charged for; for the rule of the intensity, checked by itself. */
  readonly charged: { readonly name: string; readonly at: number }[] = [];

  constructor(policy: Policy, many: boolean, children: readonly ModelChild[]) {
    this.#policy = policy;
    this.#many = many;
    this.#specs = [...children];
    this.#must = children.map(({ name }) => `start ${name}`);
  }

  /** The next thing that happened. */
  see(entry: string, at: number): void {
    this.passed(at);
    const [what, name = '', how = ''] = entry.split(' ');
    if (what !== 'exit' && this.#must.length > 0) {
      assert.equal(entry, this.#must.shift(), `at ${at}`);
      this.#happened(what!, name, at);
      return;
    }
    assert.deepEqual(this.#must, [], `before ${entry} at ${at}`);
    switch (what) {
      case 'exit':
        this.#exited(name, how as 'normal' | 'abnormal', at);
        break;
      case 'kill':
        assert.equal(this.#asked.get(name), at, `${entry} at its deadline`);
        this.#happened('kill', name, at);
        break;
      case 'start':
        this.#started(name, at);
        break;
      case 'stop':
        if (this.#phase === 'running') this.#end('stopping', at);
        break;
      default:
        assert.fail(`${entry} at ${at}: nothing asks for it`);
    }
  }

  /** Nothing that was due before may be outstanding. */
  passed(at: number): void {
    for (const [name, deadline] of this.#asked)
      assert.ok(at <= deadline, `${name} should be ended by ${deadline}`);
    if (this.#phase !== 'running' || this.#stopping()) return;
    for (const wait of this.#waits) assert.ok(at <= wait.to, `${wait.members} should be back by ${wait.to}`);
    for (const [name, retry] of this.#retries)
      assert.ok(retry === null || at <= retry, `${name} should be tried again at ${retry}`);
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  get settled(): boolean {
    return this.#must.length === 0;
  }

  #stopping(): boolean {
    return this.#asked.size > 0 || this.#condemned.length > 0;
  }

  #exited(name: string, outcome: 'normal' | 'abnormal', at: number): void {
    assert.ok(this.#up.has(name), `${name} lived`);
    const condemned = this.#condemned.includes(name);
    if (this.#phase !== 'running' || this.#asked.has(name) || condemned) {
      this.#down(name, at);
      return;
    }
    this.#up.delete(name);
    const spec = this.#specs.find((one) => one.name === name)!;
    if (spec.restart === 'temporary' || (spec.restart === 'transient' && outcome === 'normal')) {
      this.#specs = this.#specs.filter((one) => one !== spec);
      return;
    }
    const { intensity, strategy, backoff } = this.#policy;
    const before = this.#failures.filter(
      (one) => at - one.at < intensity.withinMs && (intensity.of === 'supervisor' || one.name === name),
    ).length;
    this.#failures.push({ name, at });
    if (before >= intensity.restarts) {
      if (intensity.exceeded === 'escalate') {
        this.#end('escalating', at);
        return;
      }
      this.#retries.set(name, intensity.isolatedRetryMs === null ? null : at + intensity.isolatedRetryMs);
      this.#must.push(`isolate ${name}`);
      return;
    }
    this.charged.push({ name, at });
    const names = this.#specs.map((one) => one.name);
    const group =
      strategy === 'one-for-one'
        ? [name]
        : (strategy === 'one-for-all' ? names : names.slice(names.indexOf(name))).filter(
            (one) => !this.#retries.has(one),
          );
    const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** before);
    // A group that waited already is part of this one: whoever ran when this one failed was started before it.
    this.#waits = this.#waits.filter((wait) => !wait.members.some((one) => group.includes(one)));
    this.#waits.push({ members: group, from: at + full / 2 - 1, to: at + full });
    this.#terminate(
      group.filter((one) => this.#up.has(one) && !this.#asked.has(one)),
      at,
    );
  }

  #end(phase: 'stopping' | 'escalating', at: number): void {
    this.#phase = phase;
    this.#waits = [];
    this.#terminate(
      [...this.#up].filter((one) => !this.#asked.has(one)),
      at,
    );
    this.#finish();
  }

  #terminate(names: readonly string[], at: number): void {
    const order = this.#specs.map((one) => one.name);
    this.#condemned = [...names].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    this.#next(at);
  }

  #next(at: number): void {
    if (this.#many) while (this.#condemned.length > 0) this.#ask(this.#condemned.pop()!, at);
    else if (this.#asked.size === 0 && this.#condemned.length > 0) this.#ask(this.#condemned.pop()!, at);
  }

  #ask(name: string, at: number): void {
    this.#must.push(`ask ${name}`);
    this.#asked.set(name, at + this.#specs.find((one) => one.name === name)!.stopMs);
  }

  #down(name: string, at: number): void {
    this.#up.delete(name);
    this.#asked.delete(name);
    this.#condemned = this.#condemned.filter((one) => one !== name);
    if (this.#specs.find((one) => one.name === name)?.restart === 'temporary' && this.#phase === 'running') {
      this.#specs = this.#specs.filter((one) => one.name !== name);
      this.#waits = this.#waits.map((wait) => ({
        ...wait,
        members: wait.members.filter((one) => one !== name),
      }));
    }
    this.#next(at);
    const [late] = this.#waits;
    if (this.#phase === 'running' && this.#policy.strategy !== 'one-for-one' && late !== undefined)
      if (!this.#stopping())
        // The whole group starts when the last of it is down, if its back-off is over by then.
        this.#waits = [{ ...late, to: Math.max(late.to, at), from: Math.max(late.from, at) }];
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === 'running' || this.#up.size > 0 || this.#stopping()) return;
    this.#must.push(`over ${this.#phase === 'stopping' ? 'normal' : 'abnormal'}`);
  }

  #happened(what: string, name: string, at: number): void {
    if (what === 'start') {
      assert.ok(!this.#up.has(name), `${name} did not live`);
      this.#up.add(name);
    }
    if (what === 'kill') this.#down(name, at);
    if (what === 'over') this.#phase = 'over';
  }

  #started(name: string, at: number): void {
    assert.equal(this.#phase, 'running', `start ${name} at ${at}: it is ending`);
    if (this.#retries.has(name)) {
      assert.equal(this.#retries.get(name), at);
      this.#retries.delete(name);
      this.#happened('start', name, at);
      return;
    }
    const wait = this.#waits.find((one) => one.members.includes(name));
    assert.ok(wait !== undefined, `start ${name} at ${at}: nothing asks for it`);
    assert.ok(at >= wait.from, `start ${name} at ${at}: not before ${wait.from}`);
    assert.ok(!this.#stopping(), `start ${name} at ${at}: others of its group are being stopped`);
    this.#waits = this.#waits.filter((one) => one !== wait);
    this.#must = wait.members.map((one) => `start ${one}`);
    assert.equal(this.#must.shift(), `start ${name}`);
    this.#happened('start', name, at);
  }
}
