import { InvariantViolation } from '../checkers/checker.ts';
import { breakers } from '../network/breaker-checker.ts';
import type { TrafficChecker } from '../network/checker.ts';
import { POLITE } from '../network/client.ts';
import { drains } from '../network/drain-checker.ts';
import { limits } from '../network/limit-checker.ts';
import { findings, leftovers, order } from '../network/order-checker.ts';
import { plantTrafficBug, TRAFFIC_BUGS } from '../network/planted.ts';
import { TrafficWorld } from '../network/traffic-world.ts';
import { Trouble } from '../network/trouble.ts';
import { Prng } from '../prng.ts';
import type { Scenario } from './scenario.ts';

/** After healing an endpoint that was passed over is tried again within this time, and the network has settled. */
const SETTLE_MS = 3_000;
const ECHOING = { ...POLITE, upgrade: 1, mostBytes: 50_000 };
const STOP_SLACK_MS = 3_000;
/** Chance that the node is stopped in the middle of trouble and traffic, instead of after them. */
const STOPS_UNDER_LOAD = 0.2;

export interface TrafficOutcome {
  readonly seed: number;
  readonly drawn: string;
  readonly violation: InvariantViolation | null;
  readonly simulatedMs: number;
  /** How often each kind of trouble struck. */
  readonly faults: ReadonlyMap<string, number>;
  readonly universe: TrafficWorld;
}

/**
 * The production data plane under traffic: clients with all manners, backends that die, stall and lie, a network that
 * delays, tears and parts, and changes of the configuration. Then all is mended: every request must be answered, then
 * nothing may be held, then the node stops.
 */
export const traffic = {
  name: 'traffic',
  description: 'requests pass the real data plane while clients, backends, links and workers fail',
  bugs: TRAFFIC_BUGS,
  /** `planted`: one of `bugs`, or null. */
  async run({
    seed,
    planted,
  }: {
    readonly seed: number;
    readonly planted: string | null;
  }): Promise<TrafficOutcome> {
    const bug = TRAFFIC_BUGS.find((each) => each === planted);
    const mend = bug === undefined ? () => {} : plantTrafficBug(bug);
    try {
      return await run(seed);
    } finally {
      mend();
    }
  },
} satisfies Scenario;

async function run(seed: number): Promise<TrafficOutcome> {
  const world = new TrafficWorld(seed);
  const trouble = new Trouble(world);
  const safetyMs = new Prng(String(seed)).split('scenario').between(4_000, 15_000);
  const { topology, backends } = world;
  const kinds = [...trouble.rates.keys()].join(', ') || 'none';
  const drawn = `${topology.workers} workers, ${topology.clients.length} clients, ${backends.length} backends, ${(safetyMs / 1_000).toFixed(0)} s, trouble: ${kinds}`;
  let violation: InvariantViolation | null = null;
  try {
    await live(world, trouble, safetyMs);
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error;
    violation = error;
  }
  return { seed, drawn, violation, simulatedMs: world.clock.now, faults: trouble.struck, universe: world };
}

async function live(world: TrafficWorld, trouble: Trouble, safetyMs: number): Promise<void> {
  const { clock, edge, clients, topology } = world;
  const checkers = [findings(), order(), limits(world), breakers(world), drains(world), leftovers()];
  const look = () => {
    for (const checker of checkers) hold(checker, checker.always?.(world));
  };
  for (const backend of world.backends) backend.start();
  edge.change(() => ({ upserts: world.resources(), removals: [] }));
  for (const client of clients) client.start();
  trouble.start();
  await world.run(safetyMs, look);

  if (world.prng.split('end').chance(STOPS_UNDER_LOAD)) {
    trouble.stop();
    while (edge.changing > 0) await world.run(clock.now + 10, look);
    await stop(world, look);
    return;
  }

  world.note('all is mended');
  trouble.heal();
  for (const client of clients) client.stop();
  await world.run(clock.now + Math.max(world.patienceMs, topology.drainTimeoutMs) + SETTLE_MS, look);
  const open = clients.flatMap(({ connections }) => [...connections]).filter(({ waiting }) => waiting > 0);
  hold({ name: 'nobody waits for ever' }, open.length > 0 ? `${open.length} clients still wait` : null);

  world.note('every cluster is asked through every listener');
  await ask(world, look);

  world.note('nobody asks for anything any more');
  world.polite.stop();
  edge.change(() => ({ upserts: world.withoutWarmth(), removals: [] }));
  const idle = Math.max(...topology.clusters.map(({ idleTimeoutMs }) => idleTimeoutMs));
  const { timeouts, http } = topology;
  await world.run(clock.now + http.timeouts.idleMs + timeouts.linger + idle + SETTLE_MS, look);
  for (const checker of checkers) hold(checker, checker.quiet?.(world));

  await stop(world, look);
}

/** Listeners and pools drain, one after the other, each for as long as it may; then nothing is left. */
async function stop(world: TrafficWorld, look: () => void): Promise<void> {
  const { clock, edge, topology } = world;
  world.note('the node is asked to stop');
  edge.stop();
  await world.run(clock.now + 2 * topology.drainTimeoutMs + STOP_SLACK_MS, look);
  const left = edge.workers.flatMap(({ worker, system, thread, dataplane, ended }) => [
    ...system.report().map(({ address, state }) => `${address} (${state})`),
    ...(ended ? [] : [`the tree of worker ${worker}`]),
    ...(thread.listening.size > 0 ? [`a socket of worker ${worker} that listens`] : []),
    ...(thread.sockets.size > 0 ? [`${thread.sockets.size} connections of worker ${worker}`] : []),
    ...(dataplane.armedTimers > 0 ? [`${dataplane.armedTimers} timers of worker ${worker}`] : []),
  ]);
  hold({ name: 'a stop ends everything' }, left.length > 0 ? `there is still: ${left.join(', ')}` : null);
}

async function ask(world: TrafficWorld, look: () => void): Promise<void> {
  const { polite, topology, clock } = world;
  for (const target of world.targets())
    for (const { name } of topology.clusters) {
      const connection = polite.connect(target, ECHOING, 1, name);
      const until = clock.now + world.patienceMs;
      while (!connection.isOver && clock.now < until) await world.run(clock.now + 100, look);
      const wrong = connection.isEchoed ? null : `${name} at ${target.host}:${target.port} does not echo all`;
      hold({ name: 'after healing an upgraded connection brings back what was sent' }, wrong);
    }
  for (let round = 0; round < 2; round += 1)
    for (const target of world.targets())
      for (const { name } of topology.clusters) {
        const connection = polite.connect(target, POLITE, 2, name);
        const until = clock.now + world.patienceMs;
        while (!connection.isOver && clock.now < until) await world.run(clock.now + 100, look);
        const good = connection.answers.filter(({ isGood }) => isGood).length;
        if (good === 2) continue;
        const got = connection.answers.map(({ status, reason }) => `${status} ${reason}`).join(', ');
        hold(
          { name: 'after healing every request is answered' },
          `of two requests to ${name} at ${target.host}:${target.port} ${good} were answered by a backend; answers: ${got || 'none'}`,
        );
      }
}

function hold(checker: Pick<TrafficChecker, 'name'>, wrong: string | null | undefined): void {
  if (wrong !== null && wrong !== undefined) throw new InvariantViolation(checker.name, wrong);
}
