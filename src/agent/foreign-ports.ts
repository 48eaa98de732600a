import type { Listener } from '../model/gateway.ts';
import type { ResourceSet } from '../model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../model/snapshot.ts';
import { foreignListener } from '../os/foreign-listener.ts';
import { bindFailure } from './worker/bind-failure.ts';

/**
 * Failures of listeners in `changes` whose ports other programs have. Ports that serve already are ours. Without
 * this look two agents on one machine would share a port unnoticed, each getting half of the connections.
 */
export async function foreignPorts(
  changes: SnapshotChanges,
  serving: ResourceSet,
  bind: string | undefined,
): Promise<readonly ObjectFailure[]> {
  const wished = changes.upserts.filter((resource) => resource.kind === 'listener');
  if (wished.length === 0) return [];
  const ours = new Set<number>();
  for (const resource of serving.values()) if (resource.kind === 'listener') ours.add(resource.value.port);
  const byPort = Map.groupBy(
    wished.map((resource) => resource.value).filter((listener) => !ours.has(listener.port)),
    (listener: Listener) => listener.port,
  );
  const failures = await Promise.all(
    [...byPort].map(async ([port, listeners]) => {
      const code = await foreignListener(bind, port);
      return code === null ? [] : listeners.map((listener) => bindFailure(listener, bind, code, code));
    }),
  );
  return failures.flat();
}
