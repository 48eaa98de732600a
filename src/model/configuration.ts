import type { Condition, ObjectRef, Problem } from './object.ts';
import type { ResourceKey, ResourceSet } from './resource.ts';

/** A user's object as it stands, with what became of it. */
export interface ObjectView {
  readonly object: ObjectRef;
  /** The whole object as plain data; values of Secrets are replaced by `<redacted>`. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Accepted and ResolvedRefs; `control` adds Programmed. */
  readonly conditions: readonly Condition[];
  readonly problems: readonly Problem[];
  /** Resources that exist because of this object. */
  readonly resources: readonly ResourceKey[];
}

/** Which nodes a resource is for; a resource without an entry is for every node. */
export interface NodeSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
}

/** What one run of the configuration pipeline gives. Unchanged resources are the same JS objects as in the run before. */
export interface ConfigurationBuild {
  readonly resources: ResourceSet;
  /** Selectors of resources that are not for every node (VIP assignments). */
  readonly selectors: ReadonlyMap<ResourceKey, NodeSelector>;
  /** Keys added or changed, and keys gone, since the last build. */
  readonly changed: readonly ResourceKey[];
  readonly removed: readonly ResourceKey[];
  readonly objects: readonly ObjectView[];
  readonly problems: readonly Problem[];
}

/** What `src/config` offers to `src/control`. */
export interface ConfigurationSource {
  /** Reads everything for the first time; resolves with the first build. */
  start(): Promise<ConfigurationBuild>;
  /** Called after each later build that differs. Returns how to stop listening. */
  subscribe(listener: (build: ConfigurationBuild) => void): () => void;
  current(): ConfigurationBuild;
  /** Reads everything again now (SIGHUP). */
  reload(): Promise<void>;
  stop(): Promise<void>;
}
