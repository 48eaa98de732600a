import type { Prng } from '../prng.ts';
import type { Universe } from './universe.ts';
import { PORTS } from './workload.ts';

/** Faults by name, and how often each comes at most: mean milliseconds between two. */
export const FAULTS = {
  'worker crash': 8_000,
  'worker hang': 30_000,
  'worker pause': 8_000,
  'start fault': 15_000,
  'crash loop': 40_000,
  'agent restart': 30_000,
  'agent killed': 25_000,
  'power loss': 40_000,
  'disk full': 15_000,
  'disk errors': 15_000,
  'disk slow': 20_000,
  'port busy': 6_000,
  'out of files': 15_000,
  'socket failure': 10_000,
  'stream cut': 8_000,
  'stream refused': 15_000,
  'stream silent': 25_000,
  'report asked for': 10_000,
  'controller deaf': 25_000,
  'controller restart': 15_000,
  'controller lags': 30_000,
  'endpoint failure': 3_000,
  'limit reached': 5_000,
} as const;

/** About what a save takes while the disk is well. */
const SAVE_MS = 60;

export type Fault = keyof typeof FAULTS;

/**
 * Draws what goes wrong, and when. Each seed has faults of its own, and its own rate for each: a world in which
 * everything fails at once never gets far enough for the rarer combinations.
 */
export class Faults {
  readonly rates: ReadonlyMap<Fault, number>;
  /** How often each has struck; what users brought about by their objects, too. */
  readonly struck = new Map<string, number>();
  readonly #universe: Universe;
  readonly #prng: Prng;
  #active = true;

  constructor(universe: Universe) {
    this.#universe = universe;
    this.#prng = universe.prng.split('faults');
    const rates = new Map<Fault, number>();
    for (const [fault, mean] of Object.entries(FAULTS) as [Fault, number][])
      if (this.#prng.chance(0.4)) rates.set(fault, mean * this.#prng.between(0.5, 3));
    this.rates = rates;
    if (this.#prng.chance(0.3)) universe.controller.faults.duplicate = 0.3;
    if (this.#prng.chance(0.3)) universe.controller.faults.latencyMs = this.#prng.between(50, 2_000);
  }

  count(fault: string): void {
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
  }

  start(): void {
    for (const [fault, mean] of this.rates) this.#schedule(fault, mean, this.#prng.split(fault));
  }

  /** Nothing new goes wrong, and what is wrong outside of the agent is mended. */
  stop(): void {
    this.#active = false;
    const { ports, controller, disk } = this.#universe;
    ports.heal();
    disk.heal();
    controller.faults.duplicate = 0;
    controller.faults.latencyMs = 20;
    controller.faults.silent = false;
    controller.faults.refusing = false;
    controller.hear();
    this.#universe.controllerCatchesUp();
    this.#universe.startFault = () => 'none';
  }

  #schedule(fault: Fault, mean: number, prng: Prng): void {
    const wait = -Math.log(1 - prng.next()) * mean;
    this.#universe.clock.after(wait, () => {
      if (!this.#active) return;
      // A process that is dead has no more faults.
      if (!this.#universe.down && this.#strike(fault, prng)) this.count(fault);
      this.#schedule(fault, mean, prng);
    });
  }

  /** Whether there was anything to strike. */
  #strike(fault: Fault, prng: Prng): boolean {
    const universe = this.#universe;
    const { clock, ports, controller, agent, disk } = universe;
    const worker = prng.below(agent.workers);
    const inside = universe.worker(worker);
    switch (fault) {
      case 'worker crash':
        if (inside === undefined) return false;
        universe.note(`worker ${worker} crashes`);
        agent.pool.get(worker)?.crash('crashed');
        return true;
      case 'worker hang':
        if (inside === undefined) return false;
        universe.note(`worker ${worker} hangs for good`);
        inside.block(Number.POSITIVE_INFINITY);
        return true;
      case 'worker pause': {
        if (inside === undefined) return false;
        const ms = prng.between(10, 5_000);
        universe.note(`worker ${worker} stands still for ${ms.toFixed(0)} ms`);
        inside.block(ms);
        return true;
      }
      case 'start fault': {
        const kind = prng.pick(['crash', 'hang'] as const);
        universe.note(`worker ${worker} will ${kind} at its next start, and dies now`);
        let struck = false;
        universe.startFault = (starting) => {
          if (struck || starting !== worker) return 'none';
          struck = true;
          return kind;
        };
        agent.pool.get(worker)?.crash('crashed');
        return true;
      }
      case 'crash loop': {
        const ms = prng.between(1_000, 60_000);
        universe.note(`worker ${worker} dies at every start for ${(ms / 1_000).toFixed(0)} s`);
        const until = clock.now + ms;
        universe.startFault = (starting) => (starting === worker && clock.now < until ? 'crash' : 'none');
        agent.pool.get(worker)?.crash('crashed');
        return true;
      }
      case 'agent restart':
        universe.restart(prng.between(10, 3_000));
        return true;
      case 'agent killed':
        this.#crash(prng, () => universe.crash('killed', prng.between(10, 3_000)));
        return true;
      case 'power loss':
        this.#crash(prng, () => {
          universe.crash('power lost', prng.between(1_000, 10_000));
          if (prng.chance(0.3)) universe.damageLastGood();
        });
        return true;
      case 'disk full':
        universe.note('the disk is full');
        disk.faults.full = true;
        this.#later(prng.between(100, 20_000), () => {
          disk.faults.full = false;
        });
        return true;
      case 'disk errors':
        universe.note('the disk fails now and then');
        disk.faults.errors = prng.between(0.1, 0.6);
        this.#later(prng.between(100, 20_000), () => {
          disk.faults.errors = 0;
        });
        return true;
      case 'disk slow':
        universe.note('the disk is slow');
        disk.faults.syncMs = prng.between(500, 10_000);
        this.#later(prng.between(100, 20_000), () => {
          disk.faults.syncMs = 20;
        });
        return true;
      case 'port busy': {
        const port = prng.pick(PORTS);
        universe.note(`another program takes port ${port}`);
        ports.occupy(port);
        this.#later(prng.between(100, 15_000), () => {
          ports.release(port);
          universe.note(`port ${port} is free again`);
        });
        return true;
      }
      case 'out of files':
        universe.note(`worker ${worker} can open nothing`);
        ports.exhaust(worker);
        this.#later(prng.between(100, 8_000), () => ports.relieve(worker));
        return true;
      case 'socket failure': {
        const names = [...(inside?.dataplane.sockets.keys() ?? [])];
        if (names.length === 0) return false;
        const listener = prng.pick(names);
        universe.note(`the socket of ${listener} fails on worker ${worker}`);
        inside?.notify({ type: 'listener.failed', listener, code: 'ENOTCONN', message: 'the socket failed' });
        return true;
      }
      case 'stream cut':
        universe.note('the stream is cut');
        controller.cut();
        return true;
      case 'stream refused':
        universe.note('the controller refuses connections');
        controller.faults.refusing = true;
        controller.cut();
        this.#later(prng.between(100, 10_000), () => {
          controller.faults.refusing = false;
        });
        return true;
      case 'stream silent':
        universe.note('the controller does not answer');
        controller.faults.silent = true;
        controller.cut();
        this.#later(prng.between(100, 20_000), () => {
          controller.faults.silent = false;
        });
        return true;
      case 'report asked for':
        controller.askForReport();
        return true;
      case 'controller deaf':
        universe.note('the controller hears nothing of the agent');
        controller.faults.deaf = true;
        clock.after(prng.between(100, 20_000), () => {
          if (prng.chance(0.5)) controller.cut();
          controller.hear();
        });
        return true;
      case 'controller restart':
        universe.note('the controller starts again');
        controller.restart();
        return true;
      case 'controller lags':
        universe.controllerLags(prng);
        this.#later(prng.between(100, 10_000), () => universe.controllerCatchesUp());
        return true;
      case 'endpoint failure': {
        const cluster = this.#openPool(worker, prng);
        if (cluster === undefined) return false;
        const endpoint = `10.0.0.${1 + prng.below(3)}:80`;
        inside?.notify({
          type: 'endpoint.failing',
          cluster,
          endpoint,
          reason: 'connection refused',
          failures: 3,
        });
        if (prng.chance(0.7))
          clock.after(prng.between(100, 5_000), () => {
            // A pool that is gone says nothing.
            if (universe.worker(worker) === inside && inside?.dataplane.pools.has(cluster) === true)
              inside.notify({ type: 'endpoint.recovered', cluster, endpoint });
          });
        return true;
      }
      case 'limit reached': {
        const cluster = this.#openPool(worker, prng);
        if (cluster === undefined) return false;
        const limit = prng.pick(['maxConnections', 'maxPendingRequests'] as const);
        inside?.notify({ type: 'limit.reached', cluster, limit });
        clock.after(prng.between(10, 3_000), () => inside?.notify({ type: 'limit.cleared', cluster, limit }));
        return true;
      }
    }
  }

  /** Half of the time in the middle of the next save. */
  #crash(prng: Prng, crash: () => void): void {
    const { clock, disk } = this.#universe;
    if (prng.chance(0.5)) crash();
    else disk.whenBusy(() => clock.after(prng.between(0, SAVE_MS), () => this.#active && crash()));
  }

  #openPool(worker: number, prng: Prng): string | undefined {
    const names = [...(this.#universe.worker(worker)?.dataplane.pools.keys() ?? [])];
    return names.length === 0 ? undefined : prng.pick(names);
  }

  #later(ms: number, heal: () => void): void {
    this.#universe.clock.after(ms, () => {
      if (this.#active) heal();
    });
  }
}
