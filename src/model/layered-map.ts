/**
 * A map that shares what did not change with the map it was made from: changes lie over a base that is never
 * written to, and are poured into a new base when they have become many. Making one costs as much as has changed,
 * where a copy of 60,000 entries takes 5 ms.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** `null` is an entry of the base that is gone. */
  readonly #over: ReadonlyMap<K, V | null>;
  readonly size: number;

  private constructor(base: ReadonlyMap<K, V>, over: ReadonlyMap<K, V | null>, size: number) {
    this.#base = base;
    this.#over = over;
    this.size = size;
  }

  static empty<K, V>(): LayeredMap<K, V> {
    return new LayeredMap<K, V>(new Map(), new Map(), 0);
  }

  /** Takes the map over: nobody may write to it any more. */
  static of<K, V>(entries: ReadonlyMap<K, V>): LayeredMap<K, V> {
    return new LayeredMap<K, V>(entries, new Map(), entries.size);
  }

  /** A new map with some entries set (a value) or deleted (null). This one stays as it is. */
  with(changes: ReadonlyMap<K, V | null>): LayeredMap<K, V> {
    const over = new Map(this.#over);
    let { size } = this;
    for (const [key, value] of changes) {
      const had = this.has(key);
      if (value === null) {
        if (this.#base.has(key)) over.set(key, null);
        else over.delete(key);
        if (had) size -= 1;
      } else {
        over.set(key, value);
        if (!had) size += 1;
      }
    }
    const next = new LayeredMap(this.#base, over, size);
    return over.size > 64 && over.size * 32 > this.#base.size
      ? new LayeredMap(new Map(next), new Map(), size)
      : next;
  }

  get(key: K): V | undefined {
    const value = this.#over.get(key);
    return value === undefined ? this.#base.get(key) : (value ?? undefined);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#over.has(entry[0])) yield entry;
    for (const [key, value] of this.#over) if (value !== null) yield [key, value];
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void, self?: unknown): void {
    for (const [key, value] of this.entries()) callback.call(self, value, key, this);
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }
}
