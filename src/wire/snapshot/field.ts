/** A value that the protocol does not allow: in the model before it is sent, or in bytes that were received. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly field: string;
  readonly why: string;

  constructor(field: string, why: string) {
    super(`${field}: ${why}`);
    this.field = field;
    this.why = why;
  }

  within(parent: string): FieldError {
    return new FieldError(`${parent}.${this.field}`, this.why);
  }
}

const UINT32_MAX = 0xffff_ffff;
const WEIGHT_MAX = 1_000_000;

/** Text that survives UTF-8: a lone surrogate would come back as another string. */
export function text(value: string, field: string): string {
  if (!value.isWellFormed()) throw new FieldError(field, 'is not well-formed Unicode');
  return value;
}

export function name(value: string, field: string): string {
  if (value === '') throw new FieldError(field, 'is empty');
  return text(value, field);
}

export function texts(values: readonly string[], field: string): readonly string[] {
  for (let index = 0; index < values.length; index += 1) text(values[index]!, `${field}[${index}]`);
  return values;
}

export function count(value: number, field: string, least = 0, most = UINT32_MAX): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new FieldError(field, `${value} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

export function port(value: number, field: string): number {
  return count(value, field, 1, 65_535);
}

export function weight(value: number, field: string): number {
  return count(value, field, 0, WEIGHT_MAX);
}

/** Bytes of something that may be larger than 4 GiB. */
export function size(value: number, field: string): number {
  return count(value, field, 0, Number.MAX_SAFE_INTEGER);
}

/** 0 to 1. */
export function share(value: number, field: string): number {
  if (!(value >= 0 && value <= 1) || Object.is(value, -0))
    throw new FieldError(field, `${value} is not a share`);
  return value;
}

/** Milliseconds since the epoch. */
export function time(value: number, field: string): number {
  if (!Number.isFinite(value) || Object.is(value, -0)) throw new FieldError(field, `${value} is not a time`);
  return value;
}

export function oneOf<const Choice extends string | number>(
  value: string | number,
  choices: readonly Choice[],
  field: string,
): Choice {
  for (const choice of choices) if (choice === value) return choice;
  throw new FieldError(field, `${JSON.stringify(value)} is none of ${choices.join(', ')}`);
}

export function part<T>(value: T | null | undefined, field: string): T {
  if (value === null || value === undefined) throw new FieldError(field, 'is missing');
  return value;
}

/** Translates a list; an error names the place in it. */
export function each<From, To>(
  values: readonly From[],
  field: string,
  translate: (value: From) => To,
): readonly To[] {
  const translated: To[] = [];
  for (let index = 0; index < values.length; index += 1) {
    translated.push(inside(`${field}[${index}]`, () => translate(values[index]!)));
  }
  return translated;
}

/** Runs `translate`; an error names `field` before its own. */
export function inside<To>(field: string, translate: () => To): To {
  try {
    return translate();
  } catch (error) {
    throw error instanceof FieldError ? error.within(field) : error;
  }
}
