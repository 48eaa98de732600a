import type { Effects, Event } from '../../actors/rollout.ts';
import type { Files } from '../../src/os/files.ts';
import type { Behavior, Step } from '../../supervisors/behavior.ts';
import type { Bindings } from '../../supervisors/effects.ts';
import { PersistentMap } from '../../supervisors/persistent-map.ts';
import type { SimulatedPool } from './worker-pool.ts';

/**
 * Bugs that can be planted into a simulation, to prove that its checkers find such:
 * - `commit-without-prepare`: the rollout does not wait for what the last worker says of its preparation;
 * - `ignore-rejections`: the last worker commits also what the others could not prepare;
 * - `acknowledge-failures`: what failed is told to the controller as if it had not;
 * - `forget-removals`: the last worker never hears that objects are gone;
 * - `skipped-drain`: a listener that is to drain is left as it is until its deadline;
 * - `forgotten-culprits`: the rollout does not hear at which object a worker ended;
 * - `forgotten-budget`: supervisors forget their children's failures;
 * - `save-without-sync`: what is saved is never synced;
 * - `save-in-place`: a file is written over instead of beside, then renamed.
 */
export const PLANTED_BUGS = [
  'commit-without-prepare',
  'ignore-rejections',
  'acknowledge-failures',
  'forget-removals',
  'skipped-drain',
  'forgotten-culprits',
  'forgotten-budget',
  'save-without-sync',
  'save-in-place',
] as const;

export type PlantedBug = (typeof PLANTED_BUGS)[number];

export function plant(
  bug: PlantedBug | null,
  bindings: Bindings<Effects, Event>,
  pool: () => SimulatedPool,
): Bindings<Effects, Event> {
  switch (bug) {
    case 'commit-without-prepare':
      return {
        ...bindings,
        prepareWorkers: async (params, scope) => {
          const careless = params.workers.at(-1);
          const reply: typeof scope.reply = (event) => {
            if ((event as unknown as { worker?: number }).worker !== careless) scope.reply(event);
          };
          const answer = await bindings.prepareWorkers(params, { ...scope, reply });
          if (careless === undefined) return answer;
          return { type: 'worker.prepared', worker: careless, rollout: params.rollout, failures: [] };
        },
      };
    case 'ignore-rejections':
      return {
        ...bindings,
        commitWorkers: (params, scope) => {
          const careless = params.workers.at(-1);
          const careful = params.workers.filter((worker) => worker !== careless);
          bindings.commitWorkers({ ...params, workers: careful }, scope);
          if (careless === undefined) return undefined;
          return bindings.commitWorkers({ ...params, workers: [careless], rejected: [] }, scope);
        },
      };
    case 'acknowledge-failures':
      return {
        ...bindings,
        tellStream: (params, scope) => bindings.tellStream({ ...params, failures: [] }, scope),
      };
    case 'forget-removals':
      return {
        ...bindings,
        commitWorkers: (params, scope) => {
          const careless = params.workers.at(-1);
          const inside = careless === undefined ? undefined : pool().get(careless)?.inside;
          const kept = [...(inside?.dataplane.inUse.keys() ?? [])].filter((key) => key.startsWith('route/'));
          bindings.commitWorkers(
            { ...params, workers: params.workers.filter((worker) => worker !== careless) },
            scope,
          );
          if (careless === undefined) return undefined;
          return bindings.commitWorkers(
            { ...params, workers: [careless], rejected: [...params.rejected, ...kept] },
            scope,
          );
        },
      };
    default:
      return bindings;
  }
}

export function plantInBehaviors(
  bug: PlantedBug | null,
  behaviors: Readonly<Record<string, Behavior>>,
): Readonly<Record<string, Behavior>> {
  switch (bug) {
    case 'skipped-drain':
      return {
        ...behaviors,
        listener: changed(behaviors.listener!, (step) => ({
          ...step,
          effects: step.effects.filter(({ type }) => type !== 'drainListener'),
        })),
      };
    case 'forgotten-culprits': {
      const rollout = behaviors.rollout!;
      return {
        ...behaviors,
        rollout: {
          ...rollout,
          receive: (snapshot, event) =>
            rollout.receive(
              snapshot,
              event.type === 'worker.left' ? Object.assign({}, event, { doing: '' }) : event,
            ),
        },
      };
    }
    case 'forgotten-budget':
      return {
        ...behaviors,
        supervisor: changed(behaviors.supervisor!, (step) => ({
          ...step,
          snapshot: { ...(step.snapshot as object), failures: PersistentMap.of() },
        })),
      };
    default:
      return behaviors;
  }
}

function changed(behavior: Behavior, change: (step: Step) => Step): Behavior {
  return {
    ...behavior,
    start: (input) => change(behavior.start(input)),
    receive: (snapshot, event) => change(behavior.receive(snapshot, event)),
  };
}

export function plantOnDisk(bug: PlantedBug | null, files: Files): Files {
  switch (bug) {
    case 'save-without-sync':
      return {
        ...files,
        create: async (path, mode) => ({ ...(await files.create(path, mode)), sync: async () => {} }),
      };
    case 'save-in-place':
      return {
        ...files,
        create: (path, mode) => files.create(path.replace(/\.new$/, ''), mode),
        rename: (from, to) => (from === `${to}.new` ? Promise.resolve() : files.rename(from, to)),
      };
    default:
      return files;
  }
}
