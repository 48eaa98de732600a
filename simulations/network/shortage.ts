/** What a process can be short of, for all its threads. */
export interface Shortage {
  /** Whatever needs a descriptor fails with EMFILE. */
  descriptors: boolean;
  /** Ports that another program has. */
  readonly ports: Set<number>;
}

export function noShortage(): Shortage {
  return { descriptors: false, ports: new Set() };
}
