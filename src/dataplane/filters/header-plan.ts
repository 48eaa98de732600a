import type { HeaderChanges } from '../../model/filter.ts';
import { FIELD_ID, fieldIdOfName, NEVER_FORWARDED } from '../../wire/http1/field-name.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What all header filters of a rule come to: fields that go, and the bytes that are written instead. */
export interface HeaderPlan {
  /** Lower case. */
  readonly dropped: ReadonlySet<string>;
  /** `name: value\r\n`… */
  readonly added: Buffer;
}

/** Null where the changes can be carried out, else why not. */
export function headerChangesFault(changes: HeaderChanges): string | null {
  for (const { name, value } of [...changes.set, ...changes.add]) {
    const fault = nameFault(name);
    if (fault !== null) return fault;
    if (!VALUE.test(value)) return `value of header ${name} has characters that cannot be sent`;
  }
  for (const name of changes.remove) {
    const fault = nameFault(name);
    if (fault !== null) return fault;
  }
  return null;
}

function nameFault(name: string): string | null {
  if (!TOKEN.test(name)) return `"${name}" is not a header name`;
  const id = fieldIdOfName(name.toLowerCase());
  if (id !== FIELD_ID.OTHER && NEVER_FORWARDED[id] === 1) {
    return `header ${name} belongs to the connection or the framing and cannot be changed`;
  }
  return null;
}

/** Carries the changes out one after another on paper: `set` replaces, `add` appends, `remove` deletes. */
export function planHeaders(all: readonly HeaderChanges[]): HeaderPlan | null {
  if (all.length === 0) return null;
  const dropped = new Set<string>();
  const written = new Map<string, { name: string; value: string }[]>();
  for (const changes of all) {
    for (const header of changes.set) {
      const key = header.name.toLowerCase();
      dropped.add(key);
      written.set(key, [header]);
    }
    for (const header of changes.add) {
      const key = header.name.toLowerCase();
      written.set(key, [...(written.get(key) ?? []), header]);
    }
    for (const name of changes.remove) {
      dropped.add(name.toLowerCase());
      written.delete(name.toLowerCase());
    }
  }
  let added = '';
  for (const headers of written.values()) {
    for (const { name, value } of headers) added += `${name}: ${value.trim()}\r\n`;
  }
  return { dropped, added: Buffer.from(added, 'latin1') };
}
