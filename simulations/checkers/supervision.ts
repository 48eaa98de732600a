import type { ActorSystem } from '../../supervisors/system.ts';
import type { Checker } from './checker.ts';

/** Every actor has a living parent that knows it, and every child that a supervisor takes for running lives. */
export function supervision(): Checker {
  return {
    name: 'no actor without a parent, no child without a life',
    always(universe) {
      const main = inspect(universe.agent.system, (parent) => parent === universe.agent.hostAddress);
      if (main !== null) return main;
      for (const { worker, system } of universe.workers) {
        const owner = universe.agent.address('dataplane-worker', String(worker));
        const wrong = inspect(
          system,
          (parent) => parent === owner && universe.agent.workerState(worker) !== undefined,
        );
        if (wrong !== null) return wrong;
      }
      return null;
    },
  };
}

function inspect(system: ActorSystem, isOutside: (parent: string) => boolean): string | null {
  const children = new Set<string>();
  const actors = system.report();
  for (const { address, state } of actors) {
    if (!address.includes('/supervisor/')) continue;
    const described = system.describe(address) as
      | { readonly children: readonly { readonly child: string; readonly status: string }[] }
      | undefined;
    for (const { child, status } of described?.children ?? []) {
      children.add(child);
      if (status === 'running' && !system.has(child))
        return `${address} (${state}) takes ${child} for running, but there is no such actor`;
    }
  }
  for (const { address, parent } of actors) {
    if (parent === null) return `${address} has no parent`;
    if (!system.has(parent)) {
      if (!isOutside(parent)) return `${address} has the parent ${parent}, which does not live`;
    } else if (!children.has(address)) return `${address} lives, but ${parent} does not know it`;
  }
  return null;
}
