import { isDeepStrictEqual } from 'node:util';
import type { Behavior, Step } from '../../../supervisors/behavior.ts';
import type { ActorCheckpoint, ActorStart, JournalGap, JournalRecord } from '../../../supervisors/record.ts';
import { checkpoint, recordId } from '../../../supervisors/record.ts';
import type { ActorAddress } from '../../model/actor.ts';
import { recordThread } from './merge.ts';

/** What came of one event, as far as the journal keeps it. */
export interface Outcome {
  readonly state: string;
  readonly reason: string;
  readonly outcome: string;
  readonly effects: readonly string[];
  /** All that the actor remembers, at a checkpoint that says something else than the events before it. */
  readonly memory?: unknown;
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
  readonly run: number;
  seq: number;
  last: JournalRecord;
  /** Records are left out on purpose. */
  slice: boolean;
  readonly actors: Map<ActorAddress, Actor>;
}

/** Records that a failing disk has cost. */
export interface Gap {
  readonly record: JournalRecord;
  readonly lost: number;
  readonly reason: string;
}

/**
 * Feeds recorded events to the same machines that ran, and compares what comes of each with what the journal says.
 *
 * Where records are missing (a line is damaged, the disk failed), the actors of that thread are not known until a
 * checkpoint or a new start; their events until then are counted as not compared. An actor that has differed once is
 * followed further, but its later events are not compared: they would only differ for the same reason.
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
  /** Records of the same lives before the first that is there: the ring has let go of them. */
  older = 0;
  readonly gaps: Gap[] = [];
  /** Records whose processing never ended: the process died with them. */
  unfinished = 0;

  constructor(behaviors: Readonly<Record<string, Behavior>>) {
    this.#behaviors = behaviors;
  }

  feed(record: JournalRecord): void {
    const thread = this.#thread(record);
    const { event } = record;
    if (record.outcome === 'undeliverable' || record.outcome === 'overflow') return;
    if (event.type.startsWith('journal.')) return;
    if (event.type === 'actor.checkpoint') {
      this.#checkpoint(thread, record, event as ActorCheckpoint);
      return;
    }
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

  /** The living actors as checkpoints, numbered so that they come before all records of their thread's life. */
  checkpoints(): JournalRecord[] {
    return [...this.#threads.values()].flatMap((thread) =>
      [...thread.actors.values()].map((actor, index, { length }): JournalRecord => {
        const event = checkpoint(actor);
        const { address, state, reason } = actor;
        return {
          ...thread.last,
          seq: index - length,
          actor: address,
          from: address,
          cause: '',
          event,
          state,
          reason,
          effects: [],
          outcome: 'taken',
        };
      }),
    );
  }

  #thread(record: JournalRecord): Thread {
    const name = recordThread(record);
    let thread = this.#threads.get(name);
    if (thread === undefined || thread.run !== record.run) {
      // A new life of the thread: nothing of the one before is left.
      const slice = thread?.slice === true;
      thread = { run: record.run, seq: record.seq - 1, last: record, slice, actors: new Map() };
      this.#threads.set(name, thread);
      if (!slice && record.event.type !== 'journal.slice') this.older += record.seq - 1;
    }
    if (record.event.type === 'journal.slice') thread.slice = true;
    else if (!thread.slice) this.#follow(thread, record);
    thread.seq = record.seq;
    thread.last = record;
    return thread;
  }

  #follow(thread: Thread, record: JournalRecord): void {
    const missing = record.seq - thread.seq - 1;
    if (record.event.type === 'journal.gap') {
      const { lost, reason } = record.event as JournalGap;
      this.gaps.push({ record, lost, reason });
      thread.actors.clear();
    } else if (missing !== 0) {
      this.missing += missing;
      thread.actors.clear();
    }
  }

  #checkpoint(thread: Thread, record: JournalRecord, event: ActorCheckpoint): void {
    const state = record.state ?? '';
    const reason = record.reason ?? '';
    const before = thread.actors.get(record.actor);
    if (before === undefined) {
      const behavior = this.#behaviors[event.kind] ?? unknownKind(event.kind);
      const actor: Actor = {
        address: record.actor,
        kind: event.kind,
        parent: event.parent,
        thread: record.thread,
        behavior,
        snapshot: undefined,
        state,
        reason,
        since: event.since,
        events: 0,
        differs: false,
      };
      thread.actors.set(record.actor, actor);
      try {
        actor.snapshot = behavior.restore(event.memory);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#compare(actor, record, { state, reason: message, outcome: 'failed', effects: [] });
      }
      return;
    }
    if (record.outcome === undefined) return;
    // As JSON, which is what a checkpoint is: fields that are not set are not there.
    const memory: unknown = JSON.parse(JSON.stringify(before.behavior.save(before.snapshot)));
    const same = isDeepStrictEqual(memory, event.memory);
    this.#compare(
      before,
      record,
      {
        state: before.state,
        reason: before.reason,
        outcome: 'taken',
        effects: [],
        ...(same ? {} : { memory }),
      },
      same ? undefined : event.memory,
    );
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

  #compare(actor: Actor, record: JournalRecord, replayed: Outcome, memory?: unknown): void {
    if (record.outcome === undefined) {
      this.unfinished += 1;
      return;
    }
    if (actor.differs) return;
    this.compared += 1;
    const recorded = { ...recordedOutcome(record), ...(memory === undefined ? {} : { memory }) };
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
    save: fail,
    restore: fail,
    mailbox: { limit: 0, overflow: 'drop-newest' },
    describe: () => undefined,
  };
}
