import {
  backend,
  backendManifest,
  eventually,
  routeManifest,
  type Scope,
  type Standalone,
  standaloneIn,
  temporaryDirectory,
} from '../harness.ts';
import { FaultInjector, faultEnvironment } from './injector.ts';
import { type LostRequest, load } from './load.ts';
import type { FaultKind } from './protocol.ts';

export const WORKERS = 2;

export interface Kill {
  readonly worker: number;
  readonly fault: string;
  /** Milliseconds until a new thread of the worker takes connections. */
  readonly backMs: number;
  /** On connections of the thread that failed. */
  readonly lost: readonly LostRequest[];
  /** On connections of any other thread: there must be none. */
  readonly others: readonly LostRequest[];
}

/** A real system under load whose worker threads can be made to fail. */
export interface FaultySystem extends Standalone {
  readonly directory: string;
  readonly injector: FaultInjector;
  readonly answered: () => number;
  /** Lets the worker fail and waits until it is back. */
  kill(worker: number, fault: FaultKind): Promise<Kill>;
  /** Ends the load; what was lost since the last kill. */
  calm(): Promise<readonly LostRequest[]>;
}

export async function faultySystem(
  scope: Scope,
  clients: { readonly keepAlive: number; readonly fresh: number },
  ...more: string[]
): Promise<FaultySystem> {
  const directory = temporaryDirectory();
  const one = await backend(scope, 'one');
  const files = { 'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}` };
  const system = await standaloneIn(scope, faultEnvironment(directory), files, ...more);
  const injector = await FaultInjector.connect(directory);
  scope.after(() => injector.close());
  const traffic = load({ url: system.url('/'), right: '200 one', ...clients });
  let ended: Promise<void> | null = null;
  const stop = () => {
    ended ??= traffic.stop();
    return ended;
  };
  scope.after(stop);
  await eventually('load on both workers', () => traffic.answered() > 100);

  return {
    ...system,
    directory,
    injector,
    answered: traffic.answered,
    async kill(worker, fault) {
      const before = traffic.lost();
      const at = await injector.fault(worker, fault);
      const back = await injector.back(worker, at);
      // Each client has an answer from somebody again before what was lost is counted.
      const answered = traffic.answered();
      const enough = answered + 10 * (clients.keepAlive + clients.fresh);
      await eventually('answers after the fault', () => traffic.answered() >= enough);
      const lost = [...before, ...traffic.lost()];
      const others = await foreign(injector, lost);
      return {
        worker,
        fault,
        backMs: back - at,
        lost: lost.filter((one) => !others.includes(one)),
        others,
      };
    },
    async calm() {
      await stop();
      return traffic.lost();
    },
  };
}

/** Lost on connections that a living thread has taken; or lost without any connection, though somebody listens. */
async function foreign(
  injector: FaultInjector,
  lost: readonly LostRequest[],
): Promise<readonly LostRequest[]> {
  const taken = new Set<number>();
  for (let worker = 0; worker < WORKERS; worker += 1)
    for (const port of await injector.accepted(worker, lost)) taken.add(port);
  return lost.filter(({ port, how }) => taken.has(port) || how === 'ECONNREFUSED');
}
