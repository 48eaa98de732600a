import { isDeepStrictEqual } from 'node:util';
import type { ConfigurationBuild, ObjectView } from '../model/configuration.ts';
import { LayeredMap } from '../model/layered-map.ts';
import type { Problem } from '../model/object.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import { Collection, type Entry, type KeptObject } from './collection.ts';
import { KINDS } from './crds/kinds.ts';
import type { TlsMaterial } from './graph/certificates.ts';
import { type Finding, type KeyedResource, type ObjectSet, PLAIN } from './graph/finding.ts';
import { findingOf, type Graph, Grapher } from './graph/graph.ts';
import { vipSelectors } from './graph/vips.ts';
import { lastCall } from './memo.ts';
import type { DocumentParser } from './parse/parse-item.ts';
import type { FileContent, FileContents } from './source/file-contents.ts';
import type { SourceChange } from './source/source.ts';
import { itemProblem, type LineBudget, lineBudget, viewOf } from './views.ts';

/** An object whose view is another one than in the build before. */
export interface ViewChange {
  /** null: it came. */
  readonly before: ObjectView | null;
  /** null: it went. */
  readonly now: ObjectView | null;
}

interface Shown {
  readonly entry: Entry;
  readonly finding: Finding;
  readonly view: ObjectView;
}

/** What one build gathers. */
interface Round {
  readonly graph: Graph;
  readonly now: number;
  readonly budget: LineBudget;
  /** Objects whose view is new. */
  readonly shown: Set<string>;
  readonly views: ViewChange[];
  /** True where objects came or went. */
  reordered: boolean;
  /** What to put, and with null what to take away. */
  readonly resources: Map<ResourceKey, Resource | null>;
}

const NO_CERTIFICATES: TlsMaterial['certificates'] = new Map();
const NO_FILES: ReadonlyMap<string, FileContent> = new Map();

export interface PipelineOptions {
  readonly now: () => number;
  readonly parse?: DocumentParser;
  /** Without it files that objects name cannot be read. */
  readonly files?: FileContents;
}

/**
 * Changes of a source in, builds out: parse → validate → collect → graph → resources. Holds what it gave, so that a
 * build costs as much as has changed.
 */
export class Pipeline {
  readonly #now: () => number;
  readonly #files: FileContents | undefined;
  readonly #collection: Collection;
  readonly #grapher = new Grapher();
  readonly #selectors = lastCall(vipSelectors);
  readonly #shown = new Map<string, Shown>();
  readonly #troubled = new Map<string, readonly Problem[]>();
  /** Where an object stands in the list of all. */
  #places: ReadonlyMap<string, number> = new Map();
  #graph: Graph | null = null;
  #resources: LayeredMap<ResourceKey, Resource> = LayeredMap.empty();
  #build: ConfigurationBuild = {
    resources: this.#resources,
    selectors: new Map(),
    changed: [],
    removed: [],
    objects: [],
    problems: [],
  };
  #viewChanges: readonly ViewChange[] = [];
  #first = true;

  constructor(options: PipelineOptions) {
    this.#now = options.now;
    this.#files = options.files;
    this.#collection = new Collection(options.parse);
  }

  get collection(): Collection {
    return this.#collection;
  }

  current(): ConfigurationBuild {
    return this.#build;
  }

  /** What the last change did to the views. */
  get viewChanges(): readonly ViewChange[] {
    return this.#viewChanges;
  }

  /** Texts of the item's documents that are parsed already. */
  documents(id: string): ReadonlySet<string> {
    return this.#collection.documents(id);
  }

  /** When time alone will change the build, ms since the epoch; Infinity: never. */
  get changesAt(): number {
    return this.#grapher.material?.changesAt ?? Infinity;
  }

  /** Certificates that objects name. The same map while nothing changes about them. */
  get certificates(): TlsMaterial['certificates'] {
    return this.#grapher.material?.certificates ?? NO_CERTIFICATES;
  }

  #contents(objects: ObjectSet): ReadonlyMap<string, FileContent> {
    return this.#files?.read(this.#grapher.references(objects).files) ?? NO_FILES;
  }

  /** Good versions of an earlier run; before the first change. */
  seed(kept: readonly KeptObject[]): void {
    this.#collection.seed(kept);
  }

  /** The first change must be everything there is. */
  apply(change: SourceChange): ConfigurationBuild {
    const touched = this.#collection.apply(change, this.#first);
    this.#first = false;
    const { entries, objects } = this.#collection;
    const now = this.#now();
    const graph = this.#grapher.graph(objects, this.#contents(objects), now);
    const round: Round = {
      graph,
      now,
      budget: lineBudget(),
      shown: new Set(),
      views: [],
      reordered: false,
      resources: new Map(),
    };
    for (const key of touched) {
      const entry = entries.get(key);
      if (entry === undefined) this.#hide(key, round);
      else this.#show(key, entry, round);
    }
    for (const kind of KINDS) {
      if (graph[kind] === this.#graph?.[kind]) continue;
      for (const name of objects[kind].keys()) {
        const key = `${kind}/${name}`;
        if (!touched.has(key)) this.#show(key, entries.get(key)!, round);
      }
    }
    this.#graph = graph;
    this.#viewChanges = round.views;
    this.#build = this.#assemble(round, this.#selectors(objects.ProxyVIP));
    return this.#build;
  }

  #hide(key: string, round: Round): void {
    const shown = this.#shown.get(key);
    if (shown === undefined) return;
    this.#shown.delete(key);
    this.#troubled.delete(key);
    round.reordered = true;
    round.views.push({ before: shown.view, now: null });
    difference(shown.finding.resources, [], this.#build.resources, round.resources);
  }

  #show(key: string, entry: Entry, round: Round): void {
    const { object } = entry;
    const finding = object === null ? PLAIN : findingOf(round.graph, object.kind, object.name);
    const last = this.#shown.get(key);
    if (last !== undefined && last.entry === entry && last.finding === finding) return;
    if (last?.finding.resources !== finding.resources) {
      difference(last?.finding.resources ?? [], finding.resources, this.#build.resources, round.resources);
    }
    const view = viewOf(entry, finding, last?.view ?? null, round.now, round.budget);
    this.#shown.set(key, { entry, finding, view });
    if (view.problems.length > 0) this.#troubled.set(key, view.problems);
    else this.#troubled.delete(key);
    round.shown.add(key);
    round.views.push({ before: last?.view ?? null, now: view });
    if (last === undefined) round.reordered = true;
  }

  #assemble(round: Round, selectors: ConfigurationBuild['selectors']): ConfigurationBuild {
    const changed: ResourceKey[] = [];
    const removed: ResourceKey[] = [];
    for (const [key, resource] of round.resources) {
      if (resource !== null) changed.push(key);
      else if (this.#resources.has(key)) removed.push(key);
    }
    if (changed.length + removed.length > 0) this.#resources = this.#resources.with(round.resources);
    const problems: Problem[] = [...this.#troubled.values()].flat();
    for (const { file, fault } of this.#collection.faults()) problems.push(itemProblem(file, fault));
    problems.sort(byPlace);
    return {
      resources: this.#resources,
      selectors,
      changed: changed.sort(),
      removed: removed.sort(),
      objects: this.#views(round),
      problems,
    };
  }

  /** Sorted by kind and name. */
  #views(round: Round): readonly ObjectView[] {
    if (round.reordered) {
      const order = [...this.#shown.keys()].sort();
      this.#places = new Map(order.map((key, place) => [key, place]));
      return order.map((key) => this.#shown.get(key)!.view);
    }
    if (round.shown.size === 0) return this.#build.objects;
    const views = [...this.#build.objects];
    for (const key of round.shown) views[this.#places.get(key)!] = this.#shown.get(key)!.view;
    return views;
  }
}

/** Notes what has to be put or taken away; equal resources keep their JS object and are not noted. */
function difference(
  before: readonly KeyedResource[],
  now: readonly KeyedResource[],
  present: ReadonlyMap<ResourceKey, Resource>,
  changes: Map<ResourceKey, Resource | null>,
): void {
  // One changed slice among hundreds: what stands before and after it is the same on both sides.
  let start = 0;
  let endBefore = before.length;
  let endNow = now.length;
  while (start < endBefore && start < endNow && before[start] === now[start]) start += 1;
  while (endBefore > start && endNow > start && before[endBefore - 1] === now[endNow - 1]) {
    endBefore -= 1;
    endNow -= 1;
  }
  const gone = new Set<ResourceKey>();
  for (let index = start; index < endBefore; index += 1) gone.add(before[index]!.key);
  for (let index = start; index < endNow; index += 1) {
    const { key, resource } = now[index]!;
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
