import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';

/** JSON Schema annotation with what a value is, in words: `a duration such as 2s`. Not part of generated CRDs. */
export const MEANS = 'x-novaedge-means';

interface Annotations {
  readonly description: string;
  readonly default?: unknown;
}

/**
 * A closed object. A property with a default may be left out by the user, but is there in the static type, because
 * defaults are filled in before anyone reads it.
 */
export function object<P extends TProperties>(properties: P, annotations?: Annotations): TObject<P> {
  const schema = Type.Object(properties, { additionalProperties: false, ...annotations });
  const required = Object.keys(properties).filter(
    (name) => !('~optional' in properties[name]!) && !('default' in properties[name]!),
  );
  return Object.assign(schema, { required }) as TObject<P>;
}

export const optional = <S extends TSchema>(schema: S) => Type.Optional(schema);

export function oneOf<const V extends readonly string[]>(values: V, annotations: Annotations) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...annotations });
}

export const listOf = <S extends TSchema>(
  items: S,
  description: string,
  options: Record<string, unknown> = {},
) => Type.Array(items, { description, ...options });

export const text = (description: string, options: Record<string, unknown> = {}) =>
  Type.String({ description, ...options });

export const flag = (description: string, value: boolean) => Type.Boolean({ description, default: value });

export const integer = (description: string, options: Record<string, unknown> = {}) =>
  Type.Integer({ description, ...options });

export const port = (description: string) => integer(description, { minimum: 1, maximum: 65_535 });

export const weight = (description: string) =>
  integer(description, { minimum: 0, maximum: 1_000_000, default: 1 });

/** As in Gateway API (GEP-2257), a subset of Go's durations. */
export const duration = (description: string, options: Record<string, unknown> = {}) =>
  text(description, {
    pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
    [MEANS]: 'a duration such as 500ms, 2s or 1m30s',
    ...options,
  });

/** RFC 1123 subdomain, as names of Kubernetes objects are. */
export const objectName = (description: string) =>
  text(description, {
    maxLength: 253,
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    [MEANS]: 'an object name (lower case letters, digits, "-" and ".")',
  });

/** RFC 1123 label. */
export const label = (description: string) =>
  text(description, {
    maxLength: 63,
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    [MEANS]: 'a name of lower case letters, digits and "-" (at most 63)',
  });

const HOST = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

export const hostname = (description: string) =>
  text(description, {
    maxLength: 253,
    pattern: `^(\\*\\.)?${HOST}$`,
    [MEANS]: 'a host name in lower case such as app.example.com or *.example.com',
  });

export const preciseHostname = (description: string) =>
  text(description, {
    maxLength: 253,
    pattern: `^${HOST}$`,
    [MEANS]: 'a host name in lower case without wildcard, such as app.example.com',
  });

/** RFC 9110 section 5.6.2, token. */
export const HEADER_NAME = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
/** RFC 9110 section 5.5, field-value: visible characters, blanks, tabs and obs-text; neither CR, LF nor NUL. */
export const HEADER_VALUE = '^[\\t\\x20-\\x7e\\x80-\\xff]*$';

export const headerName = (description: string, value?: string) =>
  text(description, {
    minLength: 1,
    maxLength: 256,
    pattern: HEADER_NAME,
    [MEANS]: 'a header name (letters, digits, "-", no blanks and no ":")',
    ...(value === undefined ? {} : { default: value }),
  });

export const headerValue = (description: string) =>
  text(description, {
    maxLength: 4096,
    pattern: HEADER_VALUE,
    [MEANS]: 'a header value (no line breaks or other control characters)',
  });

/** A status of gRPC by number or name. */
export const grpcStatus = (description: string) =>
  Type.Unsafe<number | string>({
    anyOf: [
      { type: 'integer', minimum: 0, maximum: 16 },
      { type: 'string', minLength: 1, maxLength: 32 },
    ],
    'x-kubernetes-int-or-string': true,
    [MEANS]: 'a status of gRPC such as UNAVAILABLE, or its number from 1 to 16',
    description,
  });

/** A port by number or name. */
export const portNumberOrName = (description: string) =>
  Type.Unsafe<number | string>({
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 65_535 },
      { type: 'string', minLength: 1, maxLength: 63 },
    ],
    'x-kubernetes-int-or-string': true,
    [MEANS]: 'a port number from 1 to 65535 or the name of a port',
    description,
  });

export const stringMap = (values: TSchema, description: string, options: Record<string, unknown> = {}) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: values,
    description,
    ...options,
  });

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
}

export interface CustomKind<S extends TSchema = TSchema> {
  readonly kind: string;
  readonly singular: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** One or two sentences. */
  readonly summary: string;
  /** YAML of a good one, for the reference page. */
  readonly sample: string;
  readonly columns: readonly PrinterColumn[];
  readonly spec: S;
}

export const GROUP = 'novaedge.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

export type { Static };
