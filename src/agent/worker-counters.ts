import type { WorkerCounters } from '../model/admin.ts';
import type { CounterRegistration } from '../model/metric.ts';
import { DATAPLANE_METRICS, LATENCY_BUCKETS } from '../model/metric.ts';

/** Counter memory of a worker starts with room for this many bytes and may grow to the second. */
const BYTES = 64 * 1024;
const BYTES_MAX = 256 * 1024 * 1024;
const WORD = Float64Array.BYTES_PER_ELEMENT;

interface Memory {
  readonly worker: number;
  readonly memory: SharedArrayBuffer;
  readonly registrations: CounterRegistration[];
}

/**
 * The counters of every worker. A worker that starts again gets new memory; what the dead one had counted is added
 * to one memory a worker for all its earlier lives, so counters never fall back and restarts do not pile up. Gauges
 * end with the life they measured.
 */
export class CounterMemories {
  readonly #living = new Map<number, Memory>();
  readonly #retired = new Map<number, Memory>();
  readonly #index = new Map<number, Map<string, number>>();

  start(worker: number): Memory {
    this.retire(worker);
    const memory = create(worker);
    this.#living.set(worker, memory);
    return memory;
  }

  register(worker: number, registration: CounterRegistration): void {
    this.#living.get(worker)?.registrations.push(registration);
  }

  retire(worker: number): void {
    const dead = this.#living.get(worker);
    if (dead === undefined) return;
    this.#living.delete(worker);
    let retired = this.#retired.get(worker);
    if (retired === undefined) {
      retired = create(worker);
      this.#retired.set(worker, retired);
      this.#index.set(worker, new Map());
    }
    const index = this.#index.get(worker)!;
    for (const registration of dead.registrations) {
      const { type } = DATAPLANE_METRICS[registration.metric];
      if (type === 'gauge') continue;
      const words = type === 'histogram' ? LATENCY_BUCKETS.length + 2 : 1;
      const to = place(retired, index, registration, words);
      const source = new Float64Array(dead.memory);
      const target = new Float64Array(retired.memory);
      for (let word = 0; word < words; word += 1)
        target[to + word] = (target[to + word] ?? 0) + (source[registration.index + word] ?? 0);
    }
  }

  list(): readonly WorkerCounters[] {
    return [...this.#living.values(), ...this.#retired.values()];
  }

  /** Sums by metric and status class: `request_count{code="2xx"}`; of histograms `_count` and `_sum`. */
  totals(): Readonly<Record<string, number>> {
    const totals: Record<string, number> = {};
    const add = (key: string, value: number) => {
      totals[key] = (totals[key] ?? 0) + value;
    };
    for (const { memory, registrations } of this.list()) {
      const values = new Float64Array(memory);
      for (const { metric, labels, index } of registrations) {
        if (DATAPLANE_METRICS[metric].type === 'histogram') {
          let count = 0;
          for (let bucket = 0; bucket <= LATENCY_BUCKETS.length; bucket += 1)
            count += values[index + bucket] ?? 0;
          add(`${metric}_count`, count);
          add(`${metric}_sum`, values[index + LATENCY_BUCKETS.length + 1] ?? 0);
          continue;
        }
        const code = labels.code;
        add(code === undefined ? metric : `${metric}{code="${code[0]}xx"}`, values[index] ?? 0);
      }
    }
    return totals;
  }
}

function create(worker: number): Memory {
  return {
    worker,
    memory: new SharedArrayBuffer(BYTES, { maxByteLength: BYTES_MAX }),
    registrations: [],
  };
}

function place(
  retired: Memory,
  index: Map<string, number>,
  registration: CounterRegistration,
  words: number,
): number {
  const labels = Object.entries(registration.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify([registration.metric, labels]);
  const known = index.get(key);
  if (known !== undefined) return known;
  const last = retired.registrations.at(-1);
  const to =
    last === undefined
      ? 0
      : last.index + (DATAPLANE_METRICS[last.metric].type === 'histogram' ? LATENCY_BUCKETS.length + 2 : 1);
  const needed = (to + words) * WORD;
  if (needed > retired.memory.byteLength)
    retired.memory.grow(Math.min(BYTES_MAX, Math.max(needed, retired.memory.byteLength * 2)));
  retired.registrations.push({ metric: registration.metric, labels: registration.labels, index: to });
  index.set(key, to);
  return to;
}
