import { KINDS, type Kind } from './crds/kinds.ts';
import type { ObjectSet } from './graph/finding.ts';
import {
  type Definition,
  type DocumentParser,
  type ItemFault,
  type Manifest,
  type ParsedItem,
  parseItem,
} from './parse/parse-item.ts';
import type { SourceChange } from './source/source.ts';
import type { Issue } from './validate/issue.ts';
import type { TypedObject } from './validate/typed-object.ts';
import { type Validated, validate } from './validate/validate.ts';

/** An object of the user, as it is defined now and as it serves. */
export interface Entry {
  readonly key: string;
  readonly definition: Definition;
  /** Other definitions of the same object, which are not used. */
  readonly duplicates: readonly Definition[];
  /** What is wrong with the definition. */
  readonly issues: readonly Issue[];
  /** What serves: the definition, or its last good version, or nothing. */
  readonly object: TypedObject | null;
  /** True where `object` is an earlier version than the definition. */
  readonly lastGoodServes: boolean;
}

/** A definition that was good, as it is kept over a restart. */
export interface KeptObject {
  readonly file: string;
  readonly manifest: Manifest;
}

interface GoodVersion extends KeptObject {
  readonly object: TypedObject;
}

type MutableSet = { -readonly [K in Kind]: Map<string, TypedObject> };

/**
 * All objects over all items, each in one version that serves. The first definition wins (by item id, then by place);
 * a definition that is not valid leaves the last good version in its place.
 */
export class Collection {
  readonly #parse: DocumentParser | undefined;
  readonly #items = new Map<string, ParsedItem>();
  readonly #definitions = new Map<string, Definition[]>();
  readonly #good = new Map<string, GoodVersion>();
  readonly #entries = new Map<string, Entry>();
  readonly #validated = new WeakMap<Manifest, Validated>();
  #objects: MutableSet = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as MutableSet;

  constructor(parse?: DocumentParser) {
    this.#parse = parse;
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  get objects(): ObjectSet {
    return this.#objects as unknown as ObjectSet;
  }

  /** Texts of the documents that an item holds. */
  documents(id: string): ReadonlySet<string> {
    return new Set(this.#items.get(id)?.documents.map((document) => document.text));
  }

  /** Faults that belong to no object, by item. */
  *faults(): Generator<{ readonly file: string; readonly fault: ItemFault }> {
    for (const item of this.#items.values()) {
      if (item.faults.length === 0) continue;
      // What made objects lost is said at these objects.
      const said = new Set<ItemFault>();
      for (const definition of item.definitions) {
        if (definition.lost !== null && this.#entries.get(definition.key)?.definition === definition)
          said.add(definition.lost);
      }
      for (const fault of item.faults) if (!said.has(fault)) yield { file: item.id, fault };
    }
  }

  /** Good versions of everything but Secrets, whose values belong into no file. */
  *good(): Generator<KeptObject> {
    for (const { object, file, manifest } of this.#good.values()) {
      if (object.kind !== 'Secret') yield { file, manifest };
    }
  }

  /**
   * Takes over what an earlier run kept. Call before the first `apply`, whose change must be everything there is;
   * what is not in it is forgotten then.
   */
  seed(kept: readonly KeptObject[]): void {
    for (const { file, manifest } of kept) {
      const parsed = parseItem({ type: 'object', id: file, manifest }, null);
      for (const definition of parsed.definitions) {
        const { object } = this.#validate(definition);
        if (object === null) continue;
        this.#good.set(definition.key, { object, file, manifest });
        const before = this.#items.get(file);
        this.#items.set(file, {
          id: file,
          documents: [],
          faults: [],
          definitions: [...(before?.definitions ?? []), definition],
        });
      }
    }
  }

  /** Returns the keys of entries that may have changed. */
  apply(change: SourceChange, first: boolean): ReadonlySet<string> {
    const touched = new Set<string>();
    const given = new Set(change.upserts.map((item) => item.id));
    const gone = first ? [...this.#items.keys()].filter((id) => !given.has(id)) : change.removals;
    if (first) for (const key of this.#good.keys()) touched.add(key);

    for (const item of change.upserts) {
      const before = this.#items.get(item.id) ?? null;
      const parsed = parseItem(item, before, this.#parse);
      this.#items.set(item.id, parsed);
      this.#replace(item.id, before?.definitions ?? [], parsed.definitions, touched);
    }
    for (const id of gone) {
      const before = this.#items.get(id);
      this.#items.delete(id);
      if (before !== undefined) this.#replace(id, before.definitions, [], touched);
    }
    this.#settle(touched);
    return touched;
  }

  #replace(
    id: string,
    before: readonly Definition[],
    now: readonly Definition[],
    touched: Set<string>,
  ): void {
    for (const { key } of before) {
      const rest = (this.#definitions.get(key) ?? []).filter((definition) => definition.file !== id);
      if (rest.length === 0) this.#definitions.delete(key);
      else this.#definitions.set(key, rest);
      touched.add(key);
    }
    for (const definition of now) {
      const all = [...(this.#definitions.get(definition.key) ?? []), definition];
      all.sort((a, b) => (a.file === b.file ? a.order - b.order : a.file < b.file ? -1 : 1));
      this.#definitions.set(definition.key, all);
      touched.add(definition.key);
    }
  }

  #settle(touched: ReadonlySet<string>): void {
    const changed = new Map<Kind, Map<string, TypedObject>>();
    const put = (kind: Kind, name: string, object: TypedObject | null): void => {
      if ((this.#objects[kind].get(name) ?? null) === object) return;
      const map = changed.get(kind) ?? new Map(this.#objects[kind]);
      changed.set(kind, map);
      if (object === null) map.delete(name);
      else map.set(name, object);
      this.#objects = { ...this.#objects, [kind]: map };
    };
    for (const key of touched) {
      const before = this.#entries.get(key);
      const definitions = this.#definitions.get(key);
      if (definitions === undefined) {
        this.#good.delete(key);
        this.#entries.delete(key);
        if (before !== undefined) put(before.definition.kind, nameOf(before.definition), null);
        continue;
      }
      const entry = this.#decide(key, definitions);
      this.#entries.set(key, entry);
      put(entry.definition.kind, nameOf(entry.definition), entry.object);
    }
  }

  #decide(key: string, definitions: readonly Definition[]): Entry {
    // A definition that may be gone counts only where there is no other.
    const present = definitions.filter((definition) => definition.lost === null);
    const [definition, ...duplicates] = present.length > 0 ? present : definitions.slice(0, 1);
    if (definition === undefined) throw new Error(`no definition of ${key}`);
    if (definition.lost !== null) {
      const object = this.#good.get(key)?.object ?? null;
      return { key, definition, duplicates, issues: [], object, lastGoodServes: object !== null };
    }
    const { object, issues } = this.#validate(definition);
    if (object !== null) {
      this.#good.set(key, { object, file: definition.file, manifest: definition.manifest });
      return { key, definition, duplicates, issues, object, lastGoodServes: false };
    }
    const good = this.#good.get(key)?.object ?? null;
    return { key, definition, duplicates, issues, object: good, lastGoodServes: good !== null };
  }

  #validate(definition: Definition): Validated {
    const known = this.#validated.get(definition.manifest);
    if (known !== undefined) return known;
    const made = validate(definition.kind, definition.ref, definition.manifest, definition.file);
    this.#validated.set(definition.manifest, made);
    return made;
  }
}

const nameOf = ({ ref }: Definition): string => `${ref.namespace}/${ref.name}`;
