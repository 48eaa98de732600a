import { isDeepStrictEqual } from 'node:util';
import type { ConfigurationBuild, ObjectView } from '../model/configuration.ts';
import type { Problem } from '../model/object.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import { Collection, type Entry, type KeptObject } from './collection.ts';
import { type Finding, type KeyedResource, PLAIN } from './graph/finding.ts';
import { Grapher } from './graph/graph.ts';
import { vipSelectors } from './graph/vips.ts';
import { lastCall } from './memo.ts';
import type { DocumentParser } from './parse/parse-item.ts';
import type { SourceChange } from './source/source.ts';
import { itemProblem, type LineBudget, lineBudget, viewOf } from './views.ts';

interface Shown {
  readonly entry: Entry;
  readonly finding: Finding;
  readonly view: ObjectView;
}

export interface PipelineOptions {
  readonly now: () => number;
  readonly parse?: DocumentParser;
}

/**
 * Changes of a source in, builds out: parse → validate → collect → graph → resources. Holds what it gave, so that a
 * build costs as much as has changed.
 */
export class Pipeline {
  readonly #now: () => number;
  readonly #collection: Collection;
  readonly #grapher = new Grapher();
  readonly #selectors = lastCall(vipSelectors);
  readonly #shown = new Map<string, Shown>();
  #order: readonly string[] = [];
  #build: ConfigurationBuild = {
    resources: new Map(),
    selectors: new Map(),
    changed: [],
    removed: [],
    objects: [],
    problems: [],
  };
  #first = true;

  constructor(options: PipelineOptions) {
    this.#now = options.now;
    this.#collection = new Collection(options.parse);
  }

  get collection(): Collection {
    return this.#collection;
  }

  current(): ConfigurationBuild {
    return this.#build;
  }

  /** True where the document is parsed already. */
  knows(id: string, text: string): boolean {
    return this.#collection.knows(id, text);
  }

  /** Good versions of an earlier run; before the first change. */
  seed(kept: readonly KeptObject[]): void {
    this.#collection.seed(kept);
  }

  /** The first change must be everything there is. */
  apply(change: SourceChange): ConfigurationBuild {
    this.#collection.apply(change, this.#first);
    this.#first = false;
    const { entries, objects } = this.#collection;
    const graph = this.#grapher.graph(objects);

    const changes = new Map<ResourceKey, Resource | null>();
    let reordered = false;
    for (const [key, shown] of this.#shown) {
      if (entries.has(key)) continue;
      reordered = true;
      this.#shown.delete(key);
      difference(shown.finding.resources, [], this.#build.resources, changes);
    }
    const now = this.#now();
    const budget = lineBudget();
    for (const [key, entry] of entries) {
      const { object } = entry;
      const finding = object === null ? PLAIN_REFUSED : graph[object.kind](object.name);
      reordered = this.#show(key, entry, finding, now, budget, changes) || reordered;
    }
    if (reordered) this.#order = [...this.#shown.keys()].sort();
    this.#build = this.#assemble(changes, this.#selectors(objects.ProxyVIP));
    return this.#build;
  }

  /** True where the object was not there before. */
  #show(
    key: string,
    entry: Entry,
    finding: Finding,
    now: number,
    budget: LineBudget,
    changes: Map<ResourceKey, Resource | null>,
  ): boolean {
    const last = this.#shown.get(key);
    if (last !== undefined && last.entry === entry && last.finding === finding) return false;
    if (last?.finding.resources !== finding.resources) {
      difference(last?.finding.resources ?? [], finding.resources, this.#build.resources, changes);
    }
    this.#shown.set(key, { entry, finding, view: viewOf(entry, finding, last?.view ?? null, now, budget) });
    return last === undefined;
  }

  #assemble(
    changes: ReadonlyMap<ResourceKey, Resource | null>,
    selectors: ConfigurationBuild['selectors'],
  ): ConfigurationBuild {
    const changed: ResourceKey[] = [];
    const removed: ResourceKey[] = [];
    let { resources } = this.#build;
    if (changes.size > 0) {
      const next = new Map(resources);
      for (const [key, resource] of changes) {
        if (resource !== null) {
          changed.push(key);
          next.set(key, resource);
        } else if (next.delete(key)) removed.push(key);
      }
      if (changed.length + removed.length > 0) resources = next;
    }
    const objects: ObjectView[] = [];
    const problems: Problem[] = [];
    for (const key of this.#order) {
      const { view } = this.#shown.get(key)!;
      objects.push(view);
      for (const problem of view.problems) problems.push(problem);
    }
    for (const { file, fault } of this.#collection.faults()) problems.push(itemProblem(file, fault));
    problems.sort(byPlace);
    return { resources, selectors, changed: changed.sort(), removed: removed.sort(), objects, problems };
  }
}

const PLAIN_REFUSED: Finding = { ...PLAIN };

/** Notes what has to be put or taken away; equal resources keep their JS object and are not noted. */
function difference(
  before: readonly KeyedResource[],
  now: readonly KeyedResource[],
  present: ReadonlyMap<ResourceKey, Resource>,
  changes: Map<ResourceKey, Resource | null>,
): void {
  const gone = new Set<ResourceKey>();
  for (const { key } of before) gone.add(key);
  for (const { key, resource } of now) {
    gone.delete(key);
    const last = present.get(key);
    if (last === resource || (last !== undefined && isDeepStrictEqual(last, resource))) changes.delete(key);
    else changes.set(key, resource);
  }
  for (const key of gone) changes.set(key, null);
}

function byPlace(a: Problem, b: Problem): number {
  const order = (x: string | number, y: string | number): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    order(a.file, b.file) ||
    a.line - b.line ||
    order(a.object?.kind ?? '', b.object?.kind ?? '') ||
    order(a.object?.namespace ?? '', b.object?.namespace ?? '') ||
    order(a.object?.name ?? '', b.object?.name ?? '') ||
    order(a.field, b.field) ||
    order(a.message, b.message)
  );
}
