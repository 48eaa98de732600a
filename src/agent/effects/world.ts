import type { World } from '../../../supervisors/world.ts';

/** The real world's time and chance. Timers do not keep the process alive. */
export const productionWorld: World = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  draw: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
