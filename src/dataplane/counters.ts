import type { CounterRegistration, DataplaneMetric } from '../model/metric.ts';
import { LATENCY_BUCKETS } from '../model/metric.ts';

/** Cells of a histogram: the buckets, +Inf, the sum. */
const HISTOGRAM_CELLS = LATENCY_BUCKETS.length + 2;
const BOUNDS_MS = Float64Array.from(LATENCY_BUCKETS, (seconds) => seconds * 1000);

/**
 * Counters of one worker in shared memory: plain adds by this thread alone, read by others whenever they like.
 *
 *   | nowhere: HISTOGRAM_CELLS | counter | histogram … | counter | …   grows as labels come up
 *
 * Where the memory is full, what is new counts into `nowhere`, which is never registered.
 */
export class Counters {
  /**
   * Another array whenever the memory has grown: one that follows a growable buffer's length by itself costs ten
   * times as much with each access (70 ns against 5), as it asks for that length each time. So whoever may allocate a
   * counter does that before reading `values`.
   */
  values: Float64Array;
  readonly #memory: SharedArrayBuffer;
  readonly #register: (registration: CounterRegistration) => void;
  #next = HISTOGRAM_CELLS;

  constructor(memory: SharedArrayBuffer, register: (registration: CounterRegistration) => void) {
    this.#memory = memory;
    this.#register = register;
    this.values = wholeOf(memory);
    this.#grow(HISTOGRAM_CELLS);
  }

  counter(metric: DataplaneMetric, labels: Readonly<Record<string, string>>): number {
    return this.#allocate(metric, labels, 1);
  }

  histogram(metric: DataplaneMetric, labels: Readonly<Record<string, string>>): number {
    return this.#allocate(metric, labels, HISTOGRAM_CELLS);
  }

  observe(index: number, milliseconds: number): void {
    const values = this.values;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && milliseconds > BOUNDS_MS[bucket]!) bucket += 1;
    values[index + bucket]! += 1;
    values[index + HISTOGRAM_CELLS - 1]! += milliseconds / 1000;
  }

  #allocate(metric: DataplaneMetric, labels: Readonly<Record<string, string>>, cells: number): number {
    const index = this.#next;
    if (!this.#grow(index + cells)) return 0;
    this.#next = index + cells;
    this.#register({ metric, labels, index });
    return index;
  }

  #grow(cells: number): boolean {
    const wanted = cells * Float64Array.BYTES_PER_ELEMENT;
    const memory = this.#memory;
    if (wanted <= memory.byteLength) return true;
    if (!memory.growable || wanted > memory.maxByteLength) return false;
    memory.grow(Math.min(memory.maxByteLength, Math.max(wanted, memory.byteLength * 2)));
    this.values = wholeOf(memory);
    return true;
  }
}

function wholeOf(memory: SharedArrayBuffer): Float64Array {
  return new Float64Array(memory, 0, Math.floor(memory.byteLength / Float64Array.BYTES_PER_ELEMENT));
}

const CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** A counter for each class of status codes, allocated when the class first comes up. */
export class StatusCounters {
  readonly #counters: Counters;
  readonly #metric: DataplaneMetric;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #indices = new Int32Array(CLASSES.length).fill(-1);

  constructor(counters: Counters, metric: DataplaneMetric, labels: Readonly<Record<string, string>>) {
    this.#counters = counters;
    this.#metric = metric;
    this.#labels = labels;
  }

  add(status: number): void {
    const statusClass = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
    let index = this.#indices[statusClass]!;
    if (index === -1) {
      index = this.#counters.counter(this.#metric, { ...this.#labels, code: CLASSES[statusClass]! });
      this.#indices[statusClass] = index;
    }
    this.#counters.values[index]! += 1;
  }

  total(): number {
    let sum = 0;
    for (const index of this.#indices) if (index > 0) sum += this.#counters.values[index]!;
    return sum;
  }
}

/** A counter for each value of one more label (`reason`, if nothing else is said), allocated when the value first comes up. */
export class LabelledCounters<Value extends string = string> {
  readonly #counters: Counters;
  readonly #metric: DataplaneMetric;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #label: string;
  readonly #indices = new Map<Value, number>();

  constructor(
    counters: Counters,
    metric: DataplaneMetric,
    labels: Readonly<Record<string, string>>,
    label = 'reason',
  ) {
    this.#counters = counters;
    this.#metric = metric;
    this.#labels = labels;
    this.#label = label;
  }

  add(value: Value): void {
    let index = this.#indices.get(value);
    if (index === undefined) {
      index = this.#counters.counter(this.#metric, { ...this.#labels, [this.#label]: value });
      this.#indices.set(value, index);
    }
    this.#counters.values[index]! += 1;
  }
}
