/** A Kubernetes object, as far as every kind has it. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `ProxyRoute default/api` */
export function objectText(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

export type ConditionType = 'Accepted' | 'ResolvedRefs' | 'Programmed';

/** As metav1.Condition. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase from a closed set, see `src/config/reasons`. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** RFC 3339. */
  readonly lastTransitionTime: string;
}

export interface ObjectStatus {
  readonly object: ObjectRef;
  readonly conditions: readonly Condition[];
}

/** One thing wrong with the user's input, said so that it can be mended without looking anything up. */
export interface Problem {
  /** `error`: the object is refused and its last good version serves on; `unresolved`: heals by itself. */
  readonly severity: 'error' | 'unresolved' | 'warning';
  /** Path as the user gave it, or empty where the source is not a file. */
  readonly file: string;
  /** From 1; 0 is unknown. */
  readonly line: number;
  readonly object: ObjectRef | null;
  /** `spec.rules[0].matches[0].path.value`, or empty. */
  readonly field: string;
  /** As written, shortened and redacted. */
  readonly value: string;
  readonly reason: string;
  readonly message: string;
  /** True where an earlier version of the object serves on. */
  readonly lastGoodServes: boolean;
}
