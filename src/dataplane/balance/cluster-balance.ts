import type { Cluster } from '../../model/cluster.ts';
import type { Context } from '../context.ts';
import type { Balancer, TimedTarget } from './balancer.ts';
import { createBalancer } from './create-balancer.ts';
import { RequestHash } from './request-hash.ts';
import { RoundRobin } from './round-robin.ts';

/** How a cluster spreads its requests, as its configuration has it now. */
export class ClusterBalance<T extends TimedTarget> {
  balancer: Balancer<T> = new RoundRobin();
  /** Null: requests have no key. */
  hash: RequestHash | null = null;
  readonly #context: Context;
  #policy: Cluster['lbPolicy'] = 'RoundRobin';
  #source = 'null';

  constructor(context: Context) {
    this.#context = context;
  }

  /** True where the balancer is a new one, which knows no targets yet. */
  configure({ lbPolicy, hash }: Pick<Cluster, 'lbPolicy' | 'hash'>): boolean {
    const source = JSON.stringify(hash);
    if (source !== this.#source) {
      this.#source = source;
      this.hash = hash === null ? null : new RequestHash(hash, this.#context.random);
    }
    if (lbPolicy === this.#policy) return false;
    this.#policy = lbPolicy;
    this.balancer = createBalancer(lbPolicy, this.#context);
    return true;
  }
}
