/** One unit of input: a file of YAML documents, or one object that came as data. */
export type SourceItem =
  | { readonly type: 'text'; readonly id: string; readonly text: string }
  | { readonly type: 'object'; readonly id: string; readonly manifest: Readonly<Record<string, unknown>> }
  /** There, but cannot be read; what it held keeps serving. */
  | { readonly type: 'unreadable'; readonly id: string; readonly message: string };

export interface SourceChange {
  readonly upserts: readonly SourceItem[];
  /** Ids of items that are gone. */
  readonly removals: readonly string[];
}

/**
 * Where configuration comes from. Ids are stable; where one object is in two items, the item whose id sorts first
 * wins. For files the id is the path as the user gave it.
 */
export interface Source {
  /** Everything there is; later changes go to `listener`, one at a time. */
  start(listener: (change: SourceChange) => void): Promise<SourceChange>;
  /** Looks at everything again now; resolves after the listener has been told of what changed. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export const isEmptyChange = (change: SourceChange): boolean =>
  change.upserts.length === 0 && change.removals.length === 0;
