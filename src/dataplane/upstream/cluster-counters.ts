import type { MirrorOutcome, RetryReason } from '../../model/retry-reason.ts';
import type { Counters } from '../counters.ts';
import { StatusCounters } from '../counters.ts';

/** Counts of one cluster in one worker; cells are taken when the pool opens. */
export class ClusterCounters {
  readonly #counters: Counters;
  readonly #labels: { readonly cluster: string };
  readonly #answers: StatusCounters;
  readonly #failures = new Map<string, number>();
  readonly #retries = new Map<RetryReason, number>();
  readonly #mirrored = new Map<MirrorOutcome, number>();
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
    let index = this.#failures.get(reason);
    if (index === undefined) {
      index = this.#counters.counter('upstream_connect_failures', { ...this.#labels, reason });
      this.#failures.set(reason, index);
    }
    this.#counters.values[index]! += 1;
  }

  retried(reason: RetryReason): void {
    let index = this.#retries.get(reason);
    if (index === undefined) {
      index = this.#counters.counter('upstream_retries', { ...this.#labels, reason });
      this.#retries.set(reason, index);
    }
    this.#counters.values[index]! += 1;
  }

  retryRefused(): void {
    if (this.#refused === -1)
      this.#refused = this.#counters.counter('upstream_retries_refused', this.#labels);
    this.#counters.values[this.#refused]! += 1;
  }

  mirrored(outcome: MirrorOutcome): void {
    let index = this.#mirrored.get(outcome);
    if (index === undefined) {
      index = this.#counters.counter('upstream_mirrored_requests', { ...this.#labels, outcome });
      this.#mirrored.set(outcome, index);
    }
    this.#counters.values[index]! += 1;
  }

  requests(): number {
    return this.#answers.total();
  }
}
