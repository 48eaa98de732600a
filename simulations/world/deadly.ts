/** What a version of an object does to every worker that takes it, and in which phase of a change. */
export const DEADLY = [
  { at: 'prepare', how: 'ends' },
  { at: 'prepare', how: 'hangs' },
  { at: 'commit', how: 'ends' },
  { at: 'commit', how: 'hangs' },
  { at: 'commit', how: 'throws' },
] as const;

export type Deadly = (typeof DEADLY)[number];

/** Thrown through the code of a simulated thread that runs no further: nothing of it may be answered or believed. */
export class ThreadStops extends Error {}
