import type { Effects as ListenerEffects, Event as ListenerEvent } from '../../../actors/listener.ts';
import type { Effects as PoolEffects, Event as PoolEvent } from '../../../actors/upstream-pool.ts';
import type { AnyBindings, Bindings } from '../../../supervisors/effects.ts';
import type { DataplaneControl } from '../../dataplane/control.ts';
import type { WorkerConfiguration } from './configuration.ts';

/** Binds what the actors of a dataplane worker name to its dataplane. */
export function workerBindings(
  dataplane: DataplaneControl,
  configuration: () => WorkerConfiguration,
  onCut: (connections: number) => void,
): Readonly<Record<string, AnyBindings>> {
  const listener: Bindings<ListenerEffects, ListenerEvent> = {
    bindListener: async ({ listener }) => {
      try {
        await dataplane.bindListener(listener);
        return { type: 'listener.bound' };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { type: 'listener.refused', code: code ?? 'UNKNOWN', message };
      }
    },
    activateListener: ({ name }) => {
      dataplane.activateListener(name);
      return undefined;
    },
    drainListener: ({ name }) => {
      dataplane.drainListener(name);
      return undefined;
    },
    closeListener: ({ name }) => {
      const cut = dataplane.closeListener(name);
      onCut(cut);
      return { type: 'listener.closed', cut };
    },
    answerPreparation: ({ name, code, message }, { cause }) => {
      configuration().answer(name, { code, message, event: cause });
      return undefined;
    },
  };
  const pool: Bindings<PoolEffects, PoolEvent> = {
    openPool: ({ cluster, limitSlot, anew }) => {
      dataplane.openPool(cluster, limitSlot, anew);
      return undefined;
    },
    drainPool: ({ name }) => {
      dataplane.drainPool(name);
      return undefined;
    },
    closePool: ({ name }) => ({ type: 'pool.closed', cut: dataplane.closePool(name) }),
    ejectEndpoint: ({ cluster, endpoint }) => {
      dataplane.ejectEndpoint(cluster, endpoint);
      return undefined;
    },
    restoreEndpoint: ({ cluster, endpoint }) => {
      dataplane.restoreEndpoint(cluster, endpoint);
      return undefined;
    },
  };
  return { listener, 'upstream-pool': pool, 'circuit-breaker': {} };
}
