import { isDeepStrictEqual } from 'node:util';
import type { Behavior, Step } from '../../../supervisors/behavior.ts';
import type { ActorStart, JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import type { ActorAddress } from '../../model/actor.ts';
import { recordThread } from './journal-reader.ts';

/** What came of one event, as far as the journal keeps it. */
export interface Outcome {
  readonly state: string;
  readonly reason: string;
  readonly outcome: string;
  readonly effects: readonly string[];
}

export interface Difference {
  readonly id: string;
  readonly record: JournalRecord;
  readonly recorded: Outcome;
  readonly replayed: Outcome;
}

/** An actor as its replayed events leave it. */
export interface ReplayedActor {
  readonly address: ActorAddress;
  readonly kind: string;
  readonly parent: ActorAddress | null;
  readonly thread: string;
  readonly state: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly events: number;
  readonly differs: boolean;
}

interface Actor {
  readonly address: ActorAddress;
  readonly kind: string;
  readonly parent: ActorAddress | null;
  readonly thread: string;
  readonly behavior: Behavior;
  snapshot: unknown;
  state: string;
  reason: string;
  since: number;
  events: number;
  differs: boolean;
}

interface Thread {
  run: number;
  seq: number;
  readonly actors: Map<ActorAddress, Actor>;
}

/**
 * Feeds recorded events to the same machines that ran, and compares what comes of each with what the journal says.
 *
 * Where records are missing (the oldest files of the ring are gone, a line is damaged), the actors of that thread
 * are not known until they are started again; their events are counted as not compared. An actor that has differed
 * once is followed further, but its later events are not compared: they would only differ for the same reason.
 */
export class Replayer {
  readonly #behaviors: Readonly<Record<string, Behavior>>;
  readonly #threads = new Map<string, Thread>();
  /** The first difference of each actor, in order. */
  readonly differences: Difference[] = [];
  compared = 0;
  /** Events of actors whose beginning the journal does not have. */
  uncompared = 0;
  /** Records that must have been between those that are there. */
  missing = 0;
  /** Records whose processing never ended: the process died with them. */
  unfinished = 0;

  constructor(behaviors: Readonly<Record<string, Behavior>>) {
    this.#behaviors = behaviors;
  }

  feed(record: JournalRecord): void {
    const thread = this.#thread(record);
    const { event } = record;
    if (record.outcome === 'undeliverable' || record.outcome === 'overflow') return;
    if (event.type === 'actor.start') {
      this.#start(thread, record, event as ActorStart);
      return;
    }
    const actor = thread.actors.get(record.actor);
    if (actor === undefined) {
      // One that is ended before its start was processed never was.
      if (event.type !== 'actor.stop') this.uncompared += 1;
      return;
    }
    actor.events += 1;
    if (event.type === 'actor.stop') {
      this.#compare(actor, record, {
        state: actor.state,
        reason: 'killed',
        outcome: 'taken',
        effects: record.effects ?? [],
      });
      thread.actors.delete(actor.address);
      return;
    }
    if (event.type === 'effect.failed') {
      this.#compare(actor, record, { ...recordedOutcome(record), state: actor.state });
      thread.actors.delete(actor.address);
      return;
    }
    this.#advance(thread, actor, record, () => actor.behavior.receive(actor.snapshot, event));
  }

  actors(): ReplayedActor[] {
    return [...this.#threads.values()]
      .flatMap((thread) => [...thread.actors.values()])
      .map(({ behavior: _behavior, snapshot: _snapshot, ...shown }) => shown)
      .sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  #thread(record: JournalRecord): Thread {
    const name = recordThread(record);
    let thread = this.#threads.get(name);
    if (thread === undefined || thread.run !== record.run) {
      // A new life of the thread: nothing of the one before is left.
      thread = { run: record.run, seq: 0, actors: new Map() };
      this.#threads.set(name, thread);
    }
    if (record.seq !== thread.seq + 1) {
      this.missing += record.seq - thread.seq - 1;
      thread.actors.clear();
    }
    thread.seq = record.seq;
    return thread;
  }

  #start(thread: Thread, record: JournalRecord, event: ActorStart): void {
    const behavior = this.#behaviors[event.kind];
    const actor: Actor = {
      address: record.actor,
      kind: event.kind,
      parent: event.parent,
      thread: record.thread,
      behavior: behavior ?? unknownKind(event.kind),
      snapshot: undefined,
      state: 'unstarted',
      reason: 'start_requested',
      since: record.wall,
      events: 1,
      differs: false,
    };
    thread.actors.set(actor.address, actor);
    this.#advance(thread, actor, record, () => actor.behavior.start(event.input));
  }

  #advance(thread: Thread, actor: Actor, record: JournalRecord, run: () => Step): void {
    let step: Step;
    try {
      step = run();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#compare(actor, record, { state: actor.state, reason, outcome: 'failed', effects: [] });
      thread.actors.delete(actor.address);
      return;
    }
    actor.snapshot = step.snapshot;
    if (step.state !== actor.state) actor.since = record.wall;
    actor.state = step.state;
    if (step.outcome !== 'unexpected') actor.reason = step.reason;
    const replayed = {
      state: step.state,
      reason: step.reason,
      outcome: step.outcome,
      effects: step.effects.map((effect) => effect.type),
    };
    // One of its effects threw, which no replay carries out: reason and outcome are those of the effect.
    const thrownOutside = record.outcome === 'failed' && record.effects !== undefined;
    this.#compare(
      actor,
      record,
      thrownOutside ? { ...replayed, reason: record.reason ?? '', outcome: 'failed' } : replayed,
    );
    if (thrownOutside || step.ended !== null) thread.actors.delete(actor.address);
  }

  #compare(actor: Actor, record: JournalRecord, replayed: Outcome): void {
    if (record.outcome === undefined) {
      this.unfinished += 1;
      return;
    }
    if (actor.differs) return;
    this.compared += 1;
    const recorded = recordedOutcome(record);
    if (isDeepStrictEqual(recorded, replayed)) return;
    actor.differs = true;
    this.differences.push({ id: recordId(record), record, recorded, replayed });
  }
}

function recordedOutcome(record: JournalRecord): Outcome {
  return {
    state: record.state ?? '',
    reason: record.reason ?? '',
    outcome: record.outcome ?? '',
    effects: record.effects ?? [],
  };
}

function unknownKind(kind: string): Behavior {
  const fail = (): never => {
    throw new Error(`this version has no actors of kind ${kind}`);
  };
  return {
    start: fail,
    receive: fail,
    mailbox: { limit: 0, overflow: 'drop-newest' },
    describe: () => undefined,
  };
}
