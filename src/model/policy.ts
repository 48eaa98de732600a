import type { Filter } from './filter.ts';

/**
 * Filters that hold for a whole gateway or route. Order on a request: the gateway's policies, the route's
 * policies (each oldest first, then by name), then the filters of the rule.
 */
export interface Policy {
  /** `namespace/name` */
  readonly name: string;
  readonly target: { readonly kind: 'gateway' | 'route'; readonly name: string };
  readonly createdAt: number;
  readonly filters: readonly Filter[];
}
