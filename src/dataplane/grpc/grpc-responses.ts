import type { GrpcStatusName } from '../../model/grpc-status.ts';
import type { Counters } from '../counters.ts';
import { LabelledCounters } from '../counters.ts';

/** Calls of gRPC by route and status. */
export class GrpcResponses {
  readonly #counters: Counters;
  readonly #routes = new Map<string, LabelledCounters<GrpcStatusName>>();

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  add(route: string, status: GrpcStatusName): void {
    let counters = this.#routes.get(route);
    if (counters === undefined) {
      counters = new LabelledCounters(this.#counters, 'grpc_responses', { route }, 'code');
      this.#routes.set(route, counters);
    }
    counters.add(status);
  }
}
