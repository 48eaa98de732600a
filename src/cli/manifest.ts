/** Walks plain data that came from a user's file: whatever is missing or of another type is undefined or empty. */
export type Plain = Readonly<Record<string, unknown>>;

export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Plain)[key];
  }
  return current;
}

/** Text or number as text; empty where there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textsAt(value: unknown, ...path: readonly string[]): string[] {
  return listAt(value, ...path)
    .filter((item) => typeof item === 'string' || typeof item === 'number')
    .map(String);
}

export function or(text: string, otherwise: string): string {
  return text === '' ? otherwise : text;
}
