import type { ActorAddress } from '../src/model/actor.ts';
import type { ActorEvent, Behavior, Step } from './behavior.ts';

export const RECORD_VERSION = 2;

/**
 * One event of one actor. It is handed to the journal before it is processed, and completed in place with what came
 * of it, `outcome` last; a record without `outcome` is one whose processing never ended.
 *
 * An actor's first event is `actor.start` with its kind and input, its last may be `actor.stop`; with the events
 * between, in order of `seq`, the same machine code gives the same steps again. Each file of the journal has an
 * `actor.checkpoint` of an actor that was started in an earlier one before its first event there, so a replay can
 * begin with any file. Timers and random draws are events
 * or fields of events. Large contents never pass through a machine: events carry versions, counts and the first
 * keys, the content lies in stores outside; so a replay needs nothing but the journal.
 */
export interface JournalRecord {
  readonly v: typeof RECORD_VERSION;
  /** Which life of the thread: rises with each start of its process or worker. */
  readonly run: number;
  /** Within the run, from 1. */
  readonly seq: number;
  /** Monotonic milliseconds of the thread's process. */
  readonly mono: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  readonly thread: string;
  readonly actor: ActorAddress;
  readonly from: ActorAddress;
  /** Id of the event that led to this one; empty where the world did. */
  readonly cause: string;
  readonly event: ActorEvent;
  state?: string;
  reason?: string;
  outcome?: Step['outcome'] | 'failed' | 'overflow' | 'undeliverable';
  effects?: readonly string[];
}

export interface ActorStart extends ActorEvent {
  readonly type: 'actor.start';
  readonly kind: string;
  readonly parent: ActorAddress | null;
  readonly input: unknown;
}

export interface ActorStop extends ActorEvent {
  readonly type: 'actor.stop';
}

/** What the actor was at that moment. Not an event to the actor: it does not see it. */
export interface ActorCheckpoint extends ActorEvent {
  readonly type: 'actor.checkpoint';
  readonly kind: string;
  readonly parent: ActorAddress | null;
  /** Milliseconds since the epoch: since when it is in its state. */
  readonly since: number;
  /** As its behavior's `save` gives it. */
  readonly memory: unknown;
}

export function checkpoint(actor: {
  readonly kind: string;
  readonly parent: ActorAddress | null;
  readonly since: number;
  readonly behavior: Behavior;
  readonly snapshot: unknown;
}): ActorCheckpoint {
  const { kind, parent, since, behavior, snapshot } = actor;
  return { type: 'actor.checkpoint', kind, parent, since, memory: behavior.save(snapshot) };
}

/** Stands for the last of the records that could not be written. */
export interface JournalGap extends ActorEvent {
  readonly type: 'journal.gap';
  /** Records lost, this one's number the last of them. */
  readonly lost: number;
  readonly reason: string;
}

/** Head of a thread in a slice of a journal: records that are missing in it were left out on purpose. */
export interface JournalSlice extends ActorEvent {
  readonly type: 'journal.slice';
  /** Of the first and the last record of the whole that it was cut from. */
  readonly from: string;
  readonly to: string;
  /** Addresses of the actors that are in it; empty: all. */
  readonly actors: readonly ActorAddress[];
}

/** Takes records in order; must not throw. */
export interface JournalSink {
  readonly run: number;
  /** Rises with each new part of the journal that a replay should be able to begin with. */
  readonly part: number;
  /** Called between two events, before the actor of the next one is looked at; `part` changes here or while idle. */
  beforeEvent(): void;
  append(record: JournalRecord): void;
}

/** `dataplane-0.3:17`: the 17th event of the third life of that thread. */
export function recordId(record: {
  readonly thread: string;
  readonly run: number;
  readonly seq: number;
}): string {
  return `${record.thread}.${record.run}:${record.seq}`;
}
