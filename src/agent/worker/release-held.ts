import type { DataplaneControl } from '../../dataplane/control.ts';

/** Gives back what an actor held that was ended from outside. Returns the number of connections cut. */
export function releaseHeld(dataplane: DataplaneControl, kind: string, name: string): number {
  if (kind === 'listener') return dataplane.closeListener(name);
  if (kind === 'upstream-pool') return dataplane.closePool(name);
  return 0;
}
