import type { ActorAddress, ActorReport } from '../src/model/actor.ts';
import { actorAddress, addressThread } from './address.ts';
import type { ActorEvent, Behavior, NamedEffect, Step } from './behavior.ts';
import type { AnyBindings, EffectAnswer, EffectScope } from './effects.ts';
import type { Envelope } from './envelope.ts';
import type { ActorStart, JournalRecord, JournalSink } from './record.ts';
import { checkpoint, RECORD_VERSION, recordId } from './record.ts';
import type { World } from './world.ts';

/** What the system noticed that nobody asked for; for log and metrics. */
export interface SystemNotice {
  readonly type: 'unexpected' | 'failed' | 'overflow' | 'undeliverable';
  readonly actor: ActorAddress;
  readonly event: string;
  readonly state: string;
  readonly message: string;
  /** Id of the record in the journal. */
  readonly id: string;
}

export interface ActorSystemOptions {
  readonly node: string;
  readonly thread: string;
  readonly world: World;
  readonly behaviors: Readonly<Record<string, Behavior>>;
  /** By kind. */
  readonly bindings: Readonly<Record<string, AnyBindings>>;
  readonly journal: JournalSink;
  readonly onNotice: (notice: SystemNotice) => void;
  /** Called with each event before its actor sees it, and with null when its effects are carried out. */
  readonly onProcess?: (record: JournalRecord | null) => void;
  /** Takes envelopes for actors of other threads. */
  readonly forward: (envelope: Envelope) => void;
}

export interface ActorStartOptions {
  readonly address: ActorAddress;
  readonly kind: string;
  /** Its supervisor, which is told when it ends. */
  readonly parent: ActorAddress | null;
  readonly input: unknown;
  readonly restarts?: number;
}

interface Actor {
  readonly address: ActorAddress;
  readonly kind: string;
  readonly parent: ActorAddress | null;
  readonly behavior: Behavior;
  readonly restarts: number;
  /** Cancels by timer name. */
  readonly timers: Map<string, () => void>;
  snapshot: unknown;
  state: string;
  reason: string;
  since: number;
  mailbox: number;
  alive: boolean;
  /** Part of the journal that has its start or a checkpoint of it. */
  part: number;
}

interface Queued {
  readonly envelope: Envelope;
  /** The actor it was queued for; a successor under the same address does not get it. */
  readonly actor: Actor | undefined;
  /** `gone`: taken back, or lost to overflow. */
  fate: 'queued' | 'taken' | 'gone';
}

/**
 * The actors of one thread behind one inbox, first in, first out. Each event is in the journal before its actor
 * sees it; then the actor's effects are carried out, and what these answer comes back through the inbox.
 * Sending from outside processes everything that is queued before it returns, so a caller sees the outcome.
 *
 *     send ─> inbox ─> journal ─> behavior.receive ─> effects ─> bindings ─┐
 *               ^─────────────────── events, timers ──────────────────────┘
 */
export class ActorSystem {
  readonly #options: ActorSystemOptions;
  readonly #world: ActorAddress;
  readonly #actors = new Map<ActorAddress, Actor>();
  #queue: Queued[] = [];
  #head = 0;
  #processing = false;
  #sequence = 0;
  #cause = '';
  /** Walks the actors for their checkpoints in that part of the journal. */
  #rolling: { readonly part: number; readonly actors: Iterator<Actor> } | null = null;

  constructor(options: ActorSystemOptions) {
    this.#options = options;
    this.#world = actorAddress(options.node, options.thread, 'world');
  }

  /** Starts an actor; one that lives under the same address is an error of the caller. */
  start(options: ActorStartOptions): void {
    const behavior = this.#options.behaviors[options.kind];
    if (behavior === undefined) throw new Error(`no behavior for actors of kind ${options.kind}`);
    if (this.#actors.has(options.address)) throw new Error(`actor ${options.address} already lives`);
    const actor: Actor = {
      address: options.address,
      kind: options.kind,
      parent: options.parent,
      behavior,
      restarts: options.restarts ?? 0,
      timers: new Map(),
      snapshot: undefined,
      state: 'unstarted',
      reason: 'start_requested',
      since: this.#options.world.wallClock(),
      mailbox: 0,
      alive: true,
      part: 0,
    };
    this.#actors.set(options.address, actor);
    const event: ActorStart = {
      type: 'actor.start',
      kind: options.kind,
      parent: options.parent,
      input: options.input,
    };
    this.#enqueue(this.#envelope(options.address, event), actor);
    this.#process();
  }

  /** Posts an event from the world outside. */
  send<Event extends ActorEvent>(to: ActorAddress, event: Event): void {
    this.deliver(this.#envelope(to, event));
  }

  /** Posts an envelope, also one that came from another thread. */
  deliver<Event extends ActorEvent>(envelope: Envelope<Event>): void {
    if (addressThread(envelope.to) !== this.#options.thread) {
      this.#options.forward(envelope);
      return;
    }
    this.#enqueue(envelope, this.#actors.get(envelope.to));
    this.#process();
  }

  /** Ends an actor at once, without asking it; its timers are gone, its supervisor is not told. */
  kill(address: ActorAddress): void {
    const actor = this.#actors.get(address);
    if (actor === undefined) return;
    const record = this.#inbox(this.#envelope(address, { type: 'actor.stop' }), actor);
    record.state = actor.state;
    record.reason = 'killed';
    record.outcome = 'taken';
    this.#bury(actor);
  }

  /** Id of the event that is being processed, or for which `caused` runs; empty is none. */
  get cause(): string {
    return this.#cause;
  }

  /** Runs what an event of another thread led to: what it sends, before it first waits, has that event as cause. */
  caused<Result>(cause: string, run: () => Result): Result {
    const before = this.#cause;
    this.#cause = cause;
    try {
      return run();
    } finally {
      this.#cause = before;
    }
  }

  /**
   * Journals the state of at most so many actors of which this part of the journal has neither start nor checkpoint
   * yet. False: there are no more.
   */
  checkpoint(most: number): boolean {
    const { part } = this.#options.journal;
    if (this.#rolling?.part !== part) this.#rolling = { part, actors: this.#actors.values() };
    const { actors } = this.#rolling;
    for (let count = 0; count < most; ) {
      const next = actors.next();
      if (next.done === true) return false;
      if (this.#save(next.value)) count += 1;
    }
    return true;
  }

  has(address: ActorAddress): boolean {
    return this.#actors.has(address);
  }

  state(address: ActorAddress): string | undefined {
    return this.#actors.get(address)?.state;
  }

  /** The memory that the actor's behavior shows. */
  describe(address: ActorAddress): unknown {
    const actor = this.#actors.get(address);
    return actor?.snapshot === undefined ? undefined : actor.behavior.describe(actor.snapshot);
  }

  report(): ActorReport[] {
    const reports: ActorReport[] = [];
    for (const actor of this.#actors.values())
      reports.push({
        address: actor.address,
        parent: actor.parent,
        thread: this.#options.thread,
        state: actor.state,
        reason: actor.reason,
        since: actor.since,
        restarts: actor.restarts,
        mailbox: actor.mailbox,
      });
    return reports;
  }

  #envelope(to: ActorAddress, event: ActorEvent, from: ActorAddress = this.#world): Envelope {
    return { to, from, cause: this.#cause, event };
  }

  #enqueue(envelope: Envelope, actor: Actor | undefined): Queued | undefined {
    const queued: Queued = { envelope, actor, fate: 'queued' };
    if (actor !== undefined) {
      const { limit, overflow } = actor.behavior.mailbox;
      if (actor.mailbox >= limit) {
        const victim =
          overflow === 'drop-newest'
            ? queued
            : this.#queue.find((waiting) => waiting.actor === actor && waiting.fate === 'queued');
        const lost = (victim ?? queued).envelope;
        const record = this.#record(lost);
        record.outcome = 'overflow';
        this.#notice('overflow', record, actor.state, `mailbox holds ${limit} events; ${overflow}`);
        if (victim === queued || victim === undefined) return undefined;
        this.#takeBack(victim);
      }
      actor.mailbox += 1;
    }
    this.#queue.push(queued);
    return queued;
  }

  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    const before = this.#cause;
    try {
      while (this.#head < this.#queue.length) {
        const queued = this.#queue[this.#head]!;
        this.#head += 1;
        this.#deliverQueued(queued);
        if (this.#head > 1_024) {
          this.#queue = this.#queue.slice(this.#head);
          this.#head = 0;
        }
      }
      this.#queue = [];
      this.#head = 0;
    } finally {
      this.#processing = false;
      this.#cause = before;
    }
  }

  #deliverQueued(queued: Queued): void {
    const { envelope, actor } = queued;
    if (queued.fate === 'gone') return;
    queued.fate = 'taken';
    if (actor !== undefined) actor.mailbox -= 1;
    const record = this.#inbox(envelope, actor);
    this.#cause = recordId(record);
    this.#options.onProcess?.(record);
    this.#receive(actor, envelope, record);
    this.#options.onProcess?.(null);
  }

  #receive(actor: Actor | undefined, envelope: Envelope, record: JournalRecord): void {
    if (actor === undefined || !actor.alive) {
      record.outcome = 'undeliverable';
      this.#notice('undeliverable', record, actor?.state ?? 'none', 'no such actor lives');
      return;
    }
    let step: Step;
    try {
      step =
        envelope.event.type === 'actor.start'
          ? actor.behavior.start((envelope.event as ActorStart).input)
          : actor.behavior.receive(actor.snapshot, envelope.event);
    } catch (error) {
      this.#fail(actor, record, error);
      return;
    }
    actor.snapshot = step.snapshot;
    if (step.state !== actor.state) actor.since = record.wall;
    actor.state = step.state;
    if (step.outcome !== 'unexpected') actor.reason = step.reason;
    record.state = step.state;
    record.reason = step.reason;
    record.effects = step.effects.map((effect) => effect.type);
    if (step.outcome === 'unexpected')
      this.#notice('unexpected', record, step.state, 'the state lists nothing for this event');
    for (const effect of step.effects) {
      if (!this.#carryOut(actor, effect, record, step.ended !== null)) return;
    }
    record.outcome = step.outcome;
    if (step.ended !== null) this.#end(actor, step.ended, step.reason, step.message);
  }

  /** False: it failed, and the actor with it. Nobody waits for the answers to what an actor's last step asked for. */
  #carryOut(actor: Actor, effect: NamedEffect, record: JournalRecord, last: boolean): boolean {
    if (effect.type === 'startTimer') {
      this.#startTimer(actor, String(effect.params.timer), Number(effect.params.ms), recordId(record));
      return true;
    }
    if (effect.type === 'cancelTimer') {
      this.#cancelTimer(actor, String(effect.params.timer));
      return true;
    }
    try {
      const binding = this.#options.bindings[actor.kind]?.[effect.type];
      if (binding === undefined) throw new Error(`effect ${effect.type} of ${actor.kind} is not bound`);
      const cause = recordId(record);
      const answer = binding(effect.params as never, this.#scope(actor, cause));
      if (last && !(answer instanceof Promise)) return true;
      if (answer instanceof Promise)
        answer.then(
          (events) => this.#answer(actor, cause, events),
          (error: unknown) => this.#failLater(actor, cause, effect.type, error),
        );
      else this.#answer(actor, cause, answer);
      return true;
    } catch (error) {
      this.#fail(actor, record, error);
      return false;
    }
  }

  #scope(actor: Actor, cause: string): EffectScope {
    return {
      actor: actor.address,
      cause,
      reply: (event) => this.#answer(actor, cause, event),
      send: (to, event) => this.deliver({ to, from: actor.address, cause, event }),
    };
  }

  /** An answer for an actor that has ended meanwhile is nobody's. */
  #answer(actor: Actor, cause: string, answer: EffectAnswer): void {
    if (answer === undefined || !actor.alive) return;
    for (const event of 'type' in answer ? [answer] : answer)
      this.#enqueue({ to: actor.address, from: this.#world, cause, event }, actor);
    this.#process();
  }

  #startTimer(actor: Actor, timer: string, ms: number, cause: string): void {
    this.#cancelTimer(actor, timer);
    const cancel = this.#options.world.after(ms, () => {
      const event = { type: 'timer.fired', timer } as ActorEvent;
      const fired = this.#enqueue({ to: actor.address, from: this.#world, cause, event }, actor);
      // Cancelled while it waits in the inbox, it never happened.
      actor.timers.set(timer, () => fired !== undefined && this.#takeBack(fired));
      this.#process();
    });
    actor.timers.set(timer, cancel);
  }

  #takeBack(queued: Queued): void {
    if (queued.fate !== 'queued') return;
    queued.fate = 'gone';
    if (queued.actor !== undefined) queued.actor.mailbox -= 1;
  }

  #cancelTimer(actor: Actor, timer: string): void {
    actor.timers.get(timer)?.();
    actor.timers.delete(timer);
  }

  #failLater(actor: Actor, cause: string, effect: string, error: unknown): void {
    if (!actor.alive) return;
    const message = error instanceof Error ? error.message : String(error);
    const event = { type: 'effect.failed', effect, message } as ActorEvent;
    const record = this.#inbox({ to: actor.address, from: this.#world, cause, event }, actor);
    this.#fail(actor, record, error);
    this.#process();
  }

  #fail(actor: Actor, record: JournalRecord, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    record.state = actor.state;
    record.reason = message;
    record.outcome = 'failed';
    this.#notice('failed', record, actor.state, error instanceof Error ? (error.stack ?? message) : message);
    this.#end(actor, 'abnormal', message);
  }

  #end(actor: Actor, outcome: 'normal' | 'abnormal', reason: string, message?: string): void {
    this.#bury(actor);
    if (actor.parent === null) return;
    const event = {
      type: 'child.exited',
      child: actor.address,
      outcome,
      reason,
      ...(message === undefined ? {} : { message }),
      at: this.#options.world.now(),
      draw: this.#options.world.draw(),
    };
    this.deliver({ to: actor.parent, from: actor.address, cause: this.#cause, event });
  }

  #bury(actor: Actor): void {
    for (const cancel of actor.timers.values()) cancel();
    actor.timers.clear();
    actor.alive = false;
    this.#actors.delete(actor.address);
  }

  /** Takes an event into the journal, after what a replay that begins there must know of its actor. */
  #inbox(envelope: Envelope, actor: Actor | undefined): JournalRecord {
    this.#options.journal.beforeEvent();
    if (actor?.alive === true) {
      if (envelope.event.type === 'actor.start') actor.part = this.#options.journal.part;
      else this.#save(actor);
    }
    return this.#record(envelope);
  }

  /** False: this part of the journal knows the actor already, or it has not begun. */
  #save(actor: Actor): boolean {
    const { part } = this.#options.journal;
    if (actor.part === part || actor.snapshot === undefined || !actor.alive) return false;
    actor.part = part;
    const event = checkpoint(actor);
    const record = this.#record({ to: actor.address, from: this.#world, cause: '', event });
    record.state = actor.state;
    record.reason = actor.reason;
    record.effects = [];
    record.outcome = 'taken';
    return true;
  }

  #record(envelope: Envelope): JournalRecord {
    this.#sequence += 1;
    const record: JournalRecord = {
      v: RECORD_VERSION,
      run: this.#options.journal.run,
      seq: this.#sequence,
      mono: this.#options.world.now(),
      wall: this.#options.world.wallClock(),
      thread: this.#options.thread,
      actor: envelope.to,
      from: envelope.from,
      cause: envelope.cause,
      event: envelope.event,
    };
    this.#options.journal.append(record);
    return record;
  }

  #notice(type: SystemNotice['type'], record: JournalRecord, state: string, message: string): void {
    this.#options.onNotice({
      type,
      actor: record.actor,
      event: record.event.type,
      state,
      message,
      id: recordId(record),
    });
  }
}
