import type { TrafficWorld } from './traffic-world.ts';

/** Something that must hold of a node and its traffic. A checker says what is wrong, or null. */
export interface TrafficChecker {
  readonly name: string;
  /** After every step. */
  always?(world: TrafficWorld): string | null;
  /** When nobody has asked for anything for longer than any timeout. */
  quiet?(world: TrafficWorld): string | null;
}
