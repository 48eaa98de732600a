import type { GrpcStatusName } from '../../model/grpc-status.ts';
import { GRPC_STATUS_NAMES } from '../../model/grpc-status.ts';
import type { Counters } from '../counters.ts';
import { LabelledCounters } from '../counters.ts';

/** Calls of gRPC by route and status; whatever status a backend invents counts as UNKNOWN. */
export class GrpcResponses {
  readonly #counters: Counters;
  readonly #routes = new Map<string, LabelledCounters<GrpcStatusName>>();

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  add(route: string, status: number): void {
    let counters = this.#routes.get(route);
    if (counters === undefined) {
      counters = new LabelledCounters(this.#counters, 'grpc_responses', { route }, 'code');
      this.#routes.set(route, counters);
    }
    counters.add(GRPC_STATUS_NAMES[status] ?? 'UNKNOWN');
  }
}
