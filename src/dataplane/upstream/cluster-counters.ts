import type { MirrorOutcome, RetryReason } from '../../model/retry-reason.ts';
import type { Counters } from '../counters.ts';
import { LabelledCounters, StatusCounters } from '../counters.ts';

/** Counts of one cluster in one worker; cells are taken when the pool opens. */
export class ClusterCounters {
  readonly #counters: Counters;
  readonly #labels: { readonly cluster: string };
  readonly #answers: StatusCounters;
  readonly #failures: LabelledCounters;
  readonly #retries: LabelledCounters<RetryReason>;
  readonly #mirrored: LabelledCounters<MirrorOutcome>;
  #refused = -1;
  #registered = false;
  #connections = 0;
  #open = 0;
  #pending = 0;
  #rtt = 0;

  constructor(counters: Counters, cluster: string) {
    this.#counters = counters;
    this.#labels = { cluster };
    this.#answers = new StatusCounters(counters, 'upstream_request_count', this.#labels);
    this.#failures = new LabelledCounters(counters, 'upstream_connect_failures', this.#labels);
    this.#retries = new LabelledCounters(counters, 'upstream_retries', this.#labels);
    this.#mirrored = new LabelledCounters(counters, 'upstream_mirrored_requests', this.#labels, 'outcome');
  }

  register(): void {
    if (this.#registered) return;
    this.#registered = true;
    this.#connections = this.#counters.counter('upstream_connection_count', this.#labels);
    this.#open = this.#counters.counter('upstream_open_connections', this.#labels);
    this.#pending = this.#counters.counter('upstream_pending_requests', this.#labels);
    this.#rtt = this.#counters.histogram('upstream_rtt', this.#labels);
  }

  opened(): void {
    this.#counters.values[this.#connections]! += 1;
    this.#counters.values[this.#open]! += 1;
  }

  closed(): void {
    this.#counters.values[this.#open]! -= 1;
  }

  pending(count: number): void {
    this.#counters.values[this.#pending] = count;
  }

  answered(status: number, milliseconds: number): void {
    this.#answers.add(status);
    this.#counters.observe(this.#rtt, milliseconds);
  }

  connectFailed(reason: string): void {
    this.#failures.add(reason);
  }

  retried(reason: RetryReason): void {
    this.#retries.add(reason);
  }

  retryRefused(): void {
    if (this.#refused === -1)
      this.#refused = this.#counters.counter('upstream_retries_refused', this.#labels);
    this.#counters.values[this.#refused]! += 1;
  }

  mirrored(outcome: MirrorOutcome): void {
    this.#mirrored.add(outcome);
  }

  requests(): number {
    return this.#answers.total();
  }
}
