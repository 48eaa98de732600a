import type { RequestView, RouteEntry } from './route-entry.ts';
import { accepts, insertEntry, removeEntry } from './route-entry.ts';

/*
 * Prefixes by whole segments, one map a level:
 *
 *   /          root ─┬─ api ─┬─ v1   entries of "/api/v1"
 *                    │       └─ v2
 *                    └─ img          entries of "/img"
 *
 * A lookup walks down the request's segments as far as the tree goes and takes the deepest node that accepts.
 */
interface PrefixNode<R> {
  readonly entries: RouteEntry<R>[];
  children: Map<string, PrefixNode<R>> | null;
}

function node<R>(): PrefixNode<R> {
  return { entries: [], children: null };
}

/** All matches of one host: exact paths, then regular expressions, then the longest prefix. Patched in place. */
export class PathTable<R> {
  readonly #exact = new Map<string, RouteEntry<R>[]>();
  readonly #patterns: RouteEntry<R>[] = [];
  readonly #root: PrefixNode<R> = node();
  /** Nodes with entries on the way down; reused. */
  readonly #way: PrefixNode<R>[] = [];
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(entry: RouteEntry<R>): void {
    this.#size += 1;
    if (entry.path.type === 'RegularExpression') insertEntry(this.#patterns, entry);
    else if (entry.path.type === 'Exact') {
      let entries = this.#exact.get(entry.path.value);
      if (entries === undefined) {
        entries = [];
        this.#exact.set(entry.path.value, entries);
      }
      insertEntry(entries, entry);
    } else {
      let at = this.#root;
      for (const segment of prefixSegments(entry.path.value)) {
        at.children ??= new Map();
        let child = at.children.get(segment);
        if (child === undefined) {
          child = node();
          at.children.set(segment, child);
        }
        at = child;
      }
      insertEntry(at.entries, entry);
    }
  }

  remove(entry: RouteEntry<R>): void {
    this.#size -= 1;
    if (entry.path.type === 'RegularExpression') removeEntry(this.#patterns, entry);
    else if (entry.path.type === 'Exact') {
      const entries = this.#exact.get(entry.path.value);
      if (entries === undefined) return;
      removeEntry(entries, entry);
      if (entries.length === 0) this.#exact.delete(entry.path.value);
    } else this.#removePrefix(this.#root, prefixSegments(entry.path.value), 0, entry);
  }

  find(path: string, request: RequestView): RouteEntry<R> | null {
    if (this.#exact.size > 0) {
      const entries = this.#exact.get(path);
      const found = entries === undefined ? null : firstAccepting(entries, request);
      if (found !== null) return found;
    }
    for (const entry of this.#patterns) {
      if (entry.pathPattern!.matches(path) && accepts(entry, request)) return entry;
    }
    return this.#longestPrefix(path, request);
  }

  #longestPrefix(path: string, request: RequestView): RouteEntry<R> | null {
    // `*` of OPTIONS is no path and has no prefix.
    if (path.charCodeAt(0) !== 47) return null;
    let at = this.#root;
    if (at.children === null) return firstAccepting(at.entries, request);
    const way = this.#way;
    let depth = 0;
    if (at.entries.length > 0) way[depth++] = at;
    let from = 1;
    while (at.children !== null && from <= path.length) {
      const slash = path.indexOf('/', from);
      const end = slash === -1 ? path.length : slash;
      const child = at.children.get(path.slice(from, end));
      if (child === undefined) break;
      if (child.entries.length > 0) way[depth++] = child;
      at = child;
      from = end + 1;
    }
    while (depth > 0) {
      depth -= 1;
      const found = firstAccepting(way[depth]!.entries, request);
      if (found !== null) return found;
    }
    return null;
  }

  #removePrefix(at: PrefixNode<R>, segments: readonly string[], depth: number, entry: RouteEntry<R>): void {
    if (depth === segments.length) {
      removeEntry(at.entries, entry);
      return;
    }
    const child = at.children?.get(segments[depth]!);
    if (child === undefined) return;
    this.#removePrefix(child, segments, depth + 1, entry);
    if (child.entries.length > 0 || child.children !== null) return;
    at.children!.delete(segments[depth]!);
    if (at.children!.size === 0) at.children = null;
  }
}

/** `/` is every path; a slash at the end means nothing (Gateway API, PathMatchPathPrefix). */
function prefixSegments(prefix: string): string[] {
  const trimmed = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return trimmed === '' ? [] : trimmed.slice(1).split('/');
}

function firstAccepting<R>(entries: readonly RouteEntry<R>[], request: RequestView): RouteEntry<R> | null {
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index]!;
    if (accepts(entry, request)) return entry;
  }
  return null;
}
