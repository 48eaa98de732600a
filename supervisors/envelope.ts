import type { ActorAddress } from '../src/model/actor.ts';
import type { ActorEvent } from './behavior.ts';

/** What travels between actors, also between threads. */
export interface Envelope<Event extends ActorEvent = ActorEvent> {
  readonly to: ActorAddress;
  /** An actor's address, or where the world spoke: `edge-1/main/world`. */
  readonly from: ActorAddress;
  /** Id in the journal of the event that led to this one; empty where the world did. */
  readonly cause: string;
  readonly event: Event;
}
