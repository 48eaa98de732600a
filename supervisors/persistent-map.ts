/**
 * A map whose changes give new maps while the old ones stay as they were, at the price of a plain map for whoever
 * goes on with the newest: each change is made in place, and the map before keeps what it takes to undo it.
 *
 *     oldest ──undo──> older ──undo──> newest = the Map itself
 *
 * Reading an older one turns the chain round, so it costs as many steps as there are changes between. Entries come
 * in no promised order. (Baker, "Shallow Binding Makes Functional Arrays Fast", 1991.)
 */
export class PersistentMap<Key, Value> {
  /** The content while this is the newest; else null, and `#undo` leads there. */
  #content: Map<Key, Value> | null;
  #undo: { readonly key: Key; readonly before: { readonly value: Value } | null } | null = null;
  #next: PersistentMap<Key, Value> | null = null;
  readonly size: number;

  private constructor(content: Map<Key, Value>) {
    this.#content = content;
    this.size = content.size;
  }

  static of<Key, Value>(entries: Iterable<readonly [Key, Value]> = []): PersistentMap<Key, Value> {
    return new PersistentMap(new Map(entries));
  }

  get(key: Key): Value | undefined {
    return this.#newest().get(key);
  }

  entries(): [Key, Value][] {
    return [...this.#newest()];
  }

  values(): Value[] {
    return [...this.#newest().values()];
  }

  with(key: Key, value: Value): PersistentMap<Key, Value> {
    const content = this.#newest();
    const before = entry(content, key);
    content.set(key, value);
    return this.#precede(content, key, before);
  }

  without(key: Key): PersistentMap<Key, Value> {
    const content = this.#newest();
    const before = entry(content, key);
    if (before === null) return this;
    content.delete(key);
    return this.#precede(content, key, before);
  }

  #precede(
    content: Map<Key, Value>,
    key: Key,
    before: { readonly value: Value } | null,
  ): PersistentMap<Key, Value> {
    const newest = new PersistentMap(content);
    this.#undoneBy(newest, key, before);
    return newest;
  }

  #undoneBy(next: PersistentMap<Key, Value>, key: Key, before: { readonly value: Value } | null): void {
    this.#content = null;
    this.#undo = { key, before };
    this.#next = next;
  }

  /** Makes this the newest, in a loop: the chain may be long. */
  #newest(): Map<Key, Value> {
    if (this.#content !== null) return this.#content;
    const chain: PersistentMap<Key, Value>[] = [];
    let newest: PersistentMap<Key, Value> = this;
    while (newest.#next !== null) {
      chain.push(newest);
      newest = newest.#next;
    }
    const content = newest.#content!;
    for (const older of chain.reverse()) {
      const { key, before } = older.#undo!;
      newest.#undoneBy(older, key, entry(content, key));
      if (before === null) content.delete(key);
      else content.set(key, before.value);
      older.#content = content;
      older.#undo = null;
      older.#next = null;
      newest = older;
    }
    return content;
  }
}

function entry<Key, Value>(content: Map<Key, Value>, key: Key): { readonly value: Value } | null {
  return content.has(key) ? { value: content.get(key)! } : null;
}
