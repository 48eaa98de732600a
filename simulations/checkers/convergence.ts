import { threadName } from '../../src/agent/worker/contract.ts';
import type { Universe } from '../world/universe.ts';
import type { SimulatedWorker } from '../world/worker.ts';
import { differing } from './agreement.ts';
import type { Checker } from './checker.ts';

/** After healing everything that is wished runs, on every worker, and nothing else does. */
export function convergence(): Checker {
  return {
    name: 'after healing everything wished runs and nothing else',
    converged(universe) {
      const { agent, controller } = universe;
      const { rollout } = agent;
      if (!controller.acknowledged) return 'the controller has no acknowledgement of the newest version';
      if (agent.store.failures.length > 0)
        return `failures stand: ${agent.store.failures.map(({ key, reason }) => `${key} ${reason}`).join(', ')}`;
      if (rollout === undefined || agent.rolloutState !== 'idle') return 'the rollout is not idle';
      if (rollout.standing.length > 0)
        return `the rollout still holds failures of ${rollout.standing.length}`;
      return unlikeWished(universe);
    },
  };
}

/** Where what runs is not what the users wish; null: nowhere. */
export function unlikeWished(universe: Universe): string | null {
  const { agent, controller } = universe;
  const wished = differing(controller.wish, agent.store.serving);
  if (wished.length > 0) return `wished and in use differ in ${wished}`;
  for (let worker = 0; worker < agent.workers; worker += 1) {
    if (agent.workerState(worker) !== 'ready' || agent.rollout?.workers.includes(worker) !== true)
      return `worker ${worker} does not serve (${agent.workerState(worker) ?? 'gone'})`;
    const inside = universe.worker(worker);
    const wrong = inside === undefined ? 'it has no thread' : inspect(universe, inside);
    if (wrong !== null) return `worker ${worker}: ${wrong}`;
  }
  return null;
}

function inspect({ controller }: Universe, { worker, dataplane, system }: SimulatedWorker): string | null {
  const content = differing(controller.wish, dataplane.inUse);
  if (content.length > 0) return `its configuration differs in ${content}`;
  const wished = [...controller.wish.values()];
  const listeners = new Map(
    wished.flatMap((one) => (one.kind === 'listener' ? [[one.value.name, one.value.port] as const] : [])),
  );
  const clusters = new Set(wished.flatMap((one) => (one.kind === 'cluster' ? [one.value.name] : [])));
  for (const [name, port] of listeners) {
    const socket = dataplane.sockets.get(name);
    if (socket === undefined) return `${name} has no socket`;
    if (!socket.active || socket.port !== port)
      return `${name} is on port ${socket.port}, ${socket.active ? 'active' : 'not active'}; wished is ${port}`;
  }
  for (const [name, socket] of dataplane.sockets)
    if (!listeners.has(name)) return `${name} still has port ${socket.port}, but nobody wishes it`;
  for (const name of dataplane.moving.keys()) return `${name} holds a second socket`;
  for (const name of clusters)
    if (dataplane.pools.get(name) !== 'open')
      return `the pool of ${name} is ${dataplane.pools.get(name) ?? 'not there'}`;
  for (const [name, state] of dataplane.pools)
    if (!clusters.has(name)) return `the pool of ${name} is ${state}, but nobody wishes it`;
  return actors(worker, system.report(), listeners.keys(), clusters);
}

function actors(
  worker: number,
  living: readonly { readonly address: string; readonly state: string }[],
  listeners: Iterable<string>,
  clusters: Iterable<string>,
): string | null {
  const expected = new Map<string, string>();
  for (const name of ['dataplane', 'pools', 'breakers', 'listeners'])
    expected.set(`supervisor/${name}`, 'running');
  for (const name of listeners) expected.set(`listener/${name}`, 'listening');
  for (const name of clusters) {
    expected.set(`upstream-pool/${name}`, 'open');
    expected.set(`circuit-breaker/${name}`, '');
  }
  const prefix = `edge-1/${threadName(worker)}/`;
  for (const { address, state } of living) {
    const path = address.slice(prefix.length);
    const wished = expected.get(path);
    if (wished === undefined) return `the actor ${path} lives, but nobody wishes it`;
    if (wished !== '' && wished !== state) return `the actor ${path} is ${state}, not ${wished}`;
    expected.delete(path);
  }
  for (const path of expected.keys()) return `there is no actor ${path}`;
  return null;
}
