import type { Universe } from '../world/universe.ts';
import type { Checker } from './checker.ts';

/** A socket takes new connections only while its listener is in use, and only on its port. */
export function draining(): Checker {
  return {
    name: 'a drained listener accepts nothing new',
    always(universe: Universe) {
      for (const { worker, dataplane } of universe.workers)
        for (const [name, socket] of dataplane.sockets) {
          if (!socket.active) continue;
          const listener = dataplane.inUse.get(`listener/${name}`);
          if (listener?.kind !== 'listener')
            return `worker ${worker} takes connections for ${name} on port ${socket.port}, and the listener is no longer in use`;
          if (listener.value.port !== socket.port)
            return `worker ${worker} takes connections for ${name} on port ${socket.port}, and in use is port ${listener.value.port}`;
        }
      return null;
    },
  };
}
