export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** Order of effect: `set` replaces, `add` appends, `remove` deletes (Gateway API, HTTPHeaderFilter). */
export interface HeaderChanges {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export type PathChange =
  | { readonly type: 'ReplaceFullPath'; readonly value: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly value: string };

export type Filter =
  | { readonly type: 'RequestHeaders'; readonly changes: HeaderChanges }
  | { readonly type: 'ResponseHeaders'; readonly changes: HeaderChanges }
  | {
      readonly type: 'Rewrite';
      /** New Host towards the backend, or null to leave it. */
      readonly hostname: string | null;
      readonly path: PathChange | null;
    }
  | {
      readonly type: 'Redirect';
      readonly scheme: 'http' | 'https' | null;
      readonly hostname: string | null;
      readonly port: number | null;
      readonly path: PathChange | null;
      readonly statusCode: 301 | 302 | 303 | 307 | 308;
    };
