import type { System } from '../../os/system.ts';
import type { Faults } from '../faults.ts';

/** Something that waits for the end of this turn of the event loop. */
export interface TurnEndOwner {
  onTurnEnd(): void;
}

/**
 * Calls back once all that has become ready in this turn of the event loop has been read: what answers of many
 * backends have to say to one client then leaves in one write.
 */
export class TurnEnd {
  readonly #system: System;
  readonly #faults: Faults;
  #waiting: TurnEndOwner[] = [];
  #running: TurnEndOwner[] = [];
  readonly #run = (): void => this.#end();

  constructor(system: System, faults: Faults) {
    this.#system = system;
    this.#faults = faults;
  }

  /** Once only for each owner until it has been called. */
  add(owner: TurnEndOwner): void {
    if (this.#waiting.length === 0) this.#system.nextTurn(this.#run);
    this.#waiting.push(owner);
  }

  #end(): void {
    const running = this.#waiting;
    this.#waiting = this.#running;
    this.#running = running;
    for (const owner of running) {
      try {
        owner.onTurnEnd();
      } catch (error) {
        this.#faults.report(error);
      }
    }
    running.length = 0;
  }
}
