import type { ActorAddress } from '../src/model/actor.ts';
import type { ActorEvent } from './behavior.ts';

/** Who asks for the effect, and how later events get back to it. */
export interface EffectScope {
  readonly actor: ActorAddress;
  /** Id of the event in the journal whose step asked for it. */
  readonly cause: string;
  /** Posts an event to the actor that asked, as soon as the world has an answer. */
  reply<Event extends ActorEvent>(event: Event): void;
  /** Posts an event to another actor. */
  send<Event extends ActorEvent>(to: ActorAddress, event: Event): void;
}

export type EffectAnswer<Event extends ActorEvent = ActorEvent> = Event | readonly Event[] | undefined;

/**
 * Carries out one effect. What it returns, or what its promise resolves with, goes to the actor as events. A throw
 * or rejection is a failure of the actor: its supervisor decides. Expected failures are therefore events.
 */
export type Binding<Params, Event extends ActorEvent> = (
  params: Params,
  scope: EffectScope,
) => EffectAnswer<Event> | Promise<EffectAnswer<Event>>;

type TimerNames = 'startTimer' | 'cancelTimer';

/** The bindings that a machine's `Effects` ask for; timers are bound by the actor system itself. */
export type Bindings<Effects, Event extends ActorEvent> = {
  readonly [Name in Exclude<keyof Effects, TimerNames>]: Binding<Effects[Name], Event>;
};

/** Bindings as the system sees them: by name only. */
export type AnyBindings = Readonly<Record<string, Binding<never, ActorEvent>>>;
