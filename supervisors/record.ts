import type { ActorAddress } from '../src/model/actor.ts';
import type { ActorEvent, Step } from './behavior.ts';

export const RECORD_VERSION = 1;

/**
 * One event of one actor. It is in the journal before it is processed, and completed in place with what came of it;
 * a record without `state` is one whose processing never ended.
 *
 * An actor's first event is `actor.start` with its kind and input, its last may be `actor.stop`; with the events
 * between, in order of `seq`, the same machine code gives the same steps again. Timers and random draws are events
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

/** Takes records in order; must not throw. */
export interface JournalSink {
  readonly run: number;
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
