/**
 * RFC 9112 by regular expressions, at its strictest: what a backend may get from this proxy and nothing else. An
 * oracle of its own; it shares nothing with the codec.
 */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const START = new RegExp(`^(${TOKEN}) (/[!"$->@-\\[\\]-~]*(?:\\?[!"$-~]*)?|\\*) HTTP/1\\.1\\r\\n`);
const FIELD = new RegExp(`^(${TOKEN}): ([\\t -~\\x80-\\xff]*)\\r\\n`);
const CHUNK = /^([1-9a-f][0-9a-f]{0,11})\r\n/;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;

export interface StrictMessage {
  readonly start: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
}

export interface StrictReading {
  readonly messages: readonly StrictMessage[];
  /** What is left is the beginning of a message that was cut off. */
  readonly isCut: boolean;
}

class Cut extends Error {}

class Rest {
  text: string;

  constructor(text: string) {
    this.text = text;
  }

  match(pattern: RegExp, what: string): RegExpExecArray {
    const match = pattern.exec(this.text);
    if (match === null) {
      // A line that has not ended may yet be in order; one that has ended is not.
      if (!this.text.includes('\r\n')) throw new Cut();
      throw new Error(`not ${what}: ${JSON.stringify(this.text.slice(0, 200))}`);
    }
    this.text = this.text.slice(match[0].length);
    return match;
  }

  take(count: number): string {
    if (this.text.length < count) throw new Cut();
    const taken = this.text.slice(0, count);
    this.text = this.text.slice(count);
    return taken;
  }
}

function readFields(rest: Rest): string[] {
  const fields: string[] = [];
  while (!rest.text.startsWith('\r\n')) {
    const [, name, value] = rest.match(FIELD, 'a field');
    if (value !== value!.trim() && value!.trim() !== '')
      throw new Error(`space around a value: ${JSON.stringify(value)}`);
    fields.push(`${name}: ${value}`);
  }
  rest.take(2);
  return fields;
}

function valuesOf(fields: readonly string[], name: string): string[] {
  return fields
    .filter((field) => field.toLowerCase().startsWith(`${name}:`))
    .map((field) => field.slice(name.length + 2));
}

function readBody(rest: Rest, fields: readonly string[]): { body: string; trailer: string[] } {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error(`more than one framing: ${fields.join(' | ')}`);
  if (codings.length === 0) {
    const length = lengths[0] ?? '0';
    if (!LENGTH.test(length)) throw new Error(`length ${length}`);
    return { body: rest.take(Number(length)), trailer: [] };
  }
  if (codings[0] !== 'chunked') throw new Error(`coding ${codings[0]}`);
  let body = '';
  while (!rest.text.startsWith('0\r\n')) {
    const [, size] = rest.match(CHUNK, 'a chunk');
    body += rest.take(Number.parseInt(size!, 16));
    if (rest.take(2) !== '\r\n') throw new Error('a chunk without its end');
  }
  rest.take(3);
  return { body, trailer: readFields(rest) };
}

/** Throws where `text` is anything but requests one after another, the last one maybe cut off. */
export function readStrictly(text: string): StrictReading {
  const rest = new Rest(text);
  const messages: StrictMessage[] = [];
  while (rest.text !== '') {
    try {
      const [, method, target] = rest.match(START, 'a request line');
      const fields = readFields(rest);
      const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
      if (names[0] !== 'host') throw new Error(`Host is not first: ${fields.join(' | ')}`);
      for (const name of [
        'host',
        'content-length',
        'transfer-encoding',
        'x-forwarded-for',
        'x-request-id',
        'connection',
      ]) {
        if (names.filter((other) => other === name).length > 1)
          throw new Error(`${name} twice: ${fields.join(' | ')}`);
      }
      const { body, trailer } = readBody(rest, fields);
      messages.push({ start: `${method} ${target} 1.1`, fields, body, trailer });
    } catch (error) {
      if (error instanceof Cut) return { messages, isCut: true };
      throw error;
    }
  }
  return { messages, isCut: false };
}
