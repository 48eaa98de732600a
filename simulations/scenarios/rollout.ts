import { resourceKey } from '../../src/model/resource.ts';
import { agreement } from '../checkers/agreement.ts';
import { answers } from '../checkers/answers.ts';
import { budgets } from '../checkers/budgets.ts';
import { type Checker, InvariantViolation } from '../checkers/checker.ts';
import { convergence, unlikeWished } from '../checkers/convergence.ts';
import { deadly } from '../checkers/deadly.ts';
import { draining } from '../checkers/draining.ts';
import { expectations } from '../checkers/expectations.ts';
import { lastGood } from '../checkers/last-good.ts';
import { refusals } from '../checkers/refusals.ts';
import { stopping } from '../checkers/stopping.ts';
import { supervision } from '../checkers/supervision.ts';
import { Prng } from '../prng.ts';
import { Faults } from '../world/faults.ts';
import { PLANTED_BUGS } from '../world/planted.ts';
import { Universe } from '../world/universe.ts';
import type { Outcome, Scenario } from './scenario.ts';

/** A reconnect, a worker that hangs, an isolated child and the retries after each fit in one after the other. */
const CONVERGENCE_MS = 240_000;
const STOP_MS = 60_000;
/** From the start of the process until everything serves that served last, with no controller in reach. */
const COLD_START_MS = 2_000;

/**
 * Configurations are rolled out to all workers while workers die, hang and stand still, ports are taken, sockets
 * fail, and the stream is cut, late and doubled. Then all is mended and must come together; then the agent stops.
 */
export const rollout: Scenario = {
  name: 'rollout',
  description: 'configurations roll out to all workers while workers, ports and the stream fail',
  bugs: PLANTED_BUGS,
  async run(options): Promise<Outcome> {
    const { seed } = options;
    const planted = PLANTED_BUGS.find((bug) => bug === options.planted) ?? null;
    const prng = new Prng(String(seed)).split('scenario');
    const workers = 1 + prng.below(4);
    const safetyMs = prng.between(20_000, 60_000);
    const universe = new Universe({
      seed,
      workers: planted === null ? workers : Math.max(2, workers),
      badness: prng.chance(0.6) ? prng.between(0.05, 0.4) : 0,
      drainTimeoutMs: prng.pick([300, 2_000, 10_000]),
      deadliness: planted === null ? drawDeadliness(prng.split('deadly')) : 0,
      planted,
    });
    const faults = new Faults(universe);
    const checkers = [
      agreement(universe),
      answers(),
      refusals(universe),
      deadly(universe, (how) => faults.count(how)),
      draining(),
      expectations(),
      supervision(),
      budgets(universe),
      lastGood(),
      stopping(),
      convergence(),
    ];
    const drawn = `${universe.agent.workers} workers, ${(safetyMs / 1_000).toFixed(0)} s, faults: ${[...faults.rates.keys()].join(', ') || 'none'}`;
    let violation: InvariantViolation | null = null;
    try {
      await live(universe, faults, checkers, { safetyMs, updateMs: prng.between(500, 5_000) });
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      violation = error;
    }
    return { seed, drawn, violation, simulatedMs: universe.clock.now, faults: faults.struck, universe };
  },
};

function drawDeadliness(prng: Prng): number {
  return prng.chance(0.4) ? prng.between(0.02, 0.3) : 0;
}

async function live(
  universe: Universe,
  faults: Faults,
  checkers: readonly Checker[],
  { safetyMs, updateMs }: { readonly safetyMs: number; readonly updateMs: number },
): Promise<void> {
  const { clock, controller, recorder } = universe;
  let failed: InvariantViolation | null = null;
  const hold = (checker: Checker, wrong: string | null | undefined) => {
    if (wrong !== null && wrong !== undefined) failed ??= new InvariantViolation(checker.name, wrong);
  };
  universe.onAnswer = (answer) => {
    for (const checker of checkers) hold(checker, checker.answered?.(universe, answer));
  };
  let seen = 0;
  const look = () => {
    if (failed !== null) throw failed;
    // Nothing has happened to any actor since.
    if (recorder.lines.length === seen) return;
    seen = recorder.lines.length;
    if (universe.down) return;
    for (const checker of checkers) hold(checker, checker.always?.(universe));
    if (failed !== null) throw failed;
  };

  const users = universe.prng.split('users');
  const edit = () => {
    const change = universe.workload.draw(controller.wish);
    const edits = [...change.upserts.map(resourceKey), ...change.removals.map((key) => `-${key}`)];
    universe.note(`a user edits ${edits.join(' ')}`);
    universe.change(change.upserts, change.removals);
    clock.after(users.between(0, 2 * updateMs), () => clock.now < safetyMs && edit());
  };
  edit();
  faults.start();
  universe.agent.start();
  await universe.run(safetyMs, look);

  universe.note('all is mended');
  faults.stop();
  const { upserts, removals } = universe.workload.mend(controller.wish);
  universe.change(upserts, removals);
  await converge(universe, checkers, look);
  await startCold(universe, checkers, look);

  universe.note('the agent is asked to stop');
  universe.agent.stop();
  await universe.run(clock.now + STOP_MS, look);
  const left = universe.agent.system.report().map(({ address, state }) => `${address} (${state})`);
  if (!universe.ended || left.length > 0 || universe.workers.length > 0)
    throw new InvariantViolation(
      'a stop ends everything',
      `after ${STOP_MS / 1_000} s there is still: ${left.join(', ') || universe.workers.map(({ worker }) => `worker ${worker}`)}`,
    );
}

async function converge(universe: Universe, checkers: readonly Checker[], look: () => void): Promise<void> {
  const { clock } = universe;
  const deadline = clock.now + CONVERGENCE_MS;
  const missing = () => {
    for (const checker of checkers) {
      const wrong = checker.converged?.(universe) ?? null;
      if (wrong !== null) return new InvariantViolation(checker.name, wrong);
    }
    return null;
  };
  while (clock.now < deadline) {
    await universe.run(clock.now + 1_000, look);
    if (missing() === null) return;
  }
  throw missing() ?? new Error('unreachable');
}

/** The agent dies while its controller is away: it serves what it served, in time, and follows the controller later. */
async function startCold(universe: Universe, checkers: readonly Checker[], look: () => void): Promise<void> {
  const { clock, controller, workload } = universe;
  const prng = universe.prng.split('cold start');
  controller.faults.refusing = true;
  const downMs = prng.between(10, 2_000);
  universe.crash(prng.pick(['killed', 'power lost'] as const), downMs);
  await universe.run(clock.now + downMs + COLD_START_MS, look);
  const missing = unlikeWished(universe);
  if (missing !== null)
    throw new InvariantViolation(
      'without a controller it serves what it served last',
      `${COLD_START_MS / 1_000} s after its start: ${missing}`,
    );
  controller.faults.refusing = false;
  const { upserts, removals } = workload.draw(controller.wish);
  universe.change(upserts, removals);
  const mended = workload.mend(controller.wish);
  universe.change(mended.upserts, mended.removals);
  await converge(universe, checkers, look);
}
