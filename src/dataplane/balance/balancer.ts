/** What a balancer sees of an endpoint. */
export interface Target {
  readonly weight: number;
  readonly usable: boolean;
}

/**
 * Picks an endpoint for a request. One instance a cluster and worker; `update` is called when endpoints, weights or
 * usability change, never on the path of a request.
 */
export interface Balancer<T extends Target> {
  update(targets: readonly T[]): void;
  /** Null where there is none. `avoid` has been tried for this request; it is passed over where others are left. */
  pick(avoid: readonly T[] | null): T | null;
}
