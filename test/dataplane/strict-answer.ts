/**
 * An answer of HTTP/1.1 by regular expressions, at its strictest: what a client may get from this proxy and nothing
 * else. An oracle of its own.
 */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const STATUS = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t -~]*\r\n/;
const FIELD = new RegExp(`^(${TOKEN}): ([\\t -~\\x80-\\xff]*)\\r\\n`);
const CHUNK = /^([1-9a-f][0-9a-f]{0,11})\r\n/;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
const HOP_BY_HOP = /^(?:keep-alive|proxy-connection|te|trailer|upgrade): /i;

export interface StrictAnswer {
  readonly interims: readonly number[];
  /** 0: no final answer has come, or not its whole head. */
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
  /** All of it has come. */
  readonly isWhole: boolean;
  /** What came behind it. */
  readonly rest: string;
}

/** Throws where `text` is anything but the beginning of one answer with what follows it. `isOver`: no more comes. */
export function readAnswer(text: string, isHead: boolean, isOver: boolean): StrictAnswer {
  const interims: number[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return { interims, status: 0, fields: [], body: '', trailer: [], isWhole: false, rest };
    const line = STATUS.exec(rest);
    if (line === null) throw new Error(`no status line: ${JSON.stringify(rest.slice(0, 100))}`);
    const status = Number(line[1]);
    const fields = readFields(rest.slice(line[0].length, end + 2));
    rest = rest.slice(end + 4);
    if (status >= 200) return { interims, status, fields, ...readBody(status, fields, rest, isHead, isOver) };
    if (status === 101) throw new Error('101');
    if (valuesOf(fields, 'content-length').length > 0) throw new Error(`${status} with a length`);
    interims.push(status);
  }
}

function readFields(text: string): string[] {
  const fields: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const field = FIELD.exec(rest);
    if (field === null) throw new Error(`no field: ${JSON.stringify(rest.slice(0, 100))}`);
    if (field[2] !== field[2]!.trim()) throw new Error(`space around ${JSON.stringify(field[0])}`);
    if (HOP_BY_HOP.test(field[0])) throw new Error(`of a connection: ${field[0]}`);
    fields.push(`${field[1]}: ${field[2]}`);
    rest = rest.slice(field[0].length);
  }
  return fields;
}

function valuesOf(fields: readonly string[], name: string): string[] {
  return fields
    .filter((field) => field.toLowerCase().startsWith(`${name}: `))
    .map((field) => field.slice(name.length + 2));
}

type Body = Pick<StrictAnswer, 'body' | 'trailer' | 'isWhole' | 'rest'>;

function readBody(
  status: number,
  fields: readonly string[],
  text: string,
  isHead: boolean,
  isOver: boolean,
): Body {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error(`framed twice: ${fields.join(' | ')}`);
  if (status === 204 && lengths.length + codings.length > 0) throw new Error('204 with a length');
  if (lengths.length === 1 && !LENGTH.test(lengths[0]!)) throw new Error(`length ${lengths[0]}`);
  if (isHead || status === 204 || status === 304) return { body: '', trailer: [], isWhole: true, rest: text };
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new Error(`coding ${codings[0]}`);
    return readChunks(text);
  }
  if (lengths.length === 0) {
    if (valuesOf(fields, 'connection')[0] !== 'close') throw new Error('an answer without an end');
    return { body: text, trailer: [], isWhole: isOver, rest: '' };
  }
  const length = Number(lengths[0]);
  return {
    body: text.slice(0, length),
    trailer: [],
    isWhole: text.length >= length,
    rest: text.slice(length),
  };
}

function readChunks(text: string): Body {
  let body = '';
  let rest = text;
  while (!rest.startsWith('0\r\n')) {
    const line = CHUNK.exec(rest);
    const size = Number.parseInt(line?.[1] ?? '0', 16);
    const from = line?.[0].length ?? 0;
    if (line === null || rest.length < from + size + 2) {
      if (line === null && rest.includes('\r\n')) throw new Error(`no chunk: ${JSON.stringify(rest)}`);
      return { body: body + rest.slice(from), trailer: [], isWhole: false, rest: '' };
    }
    body += rest.slice(from, from + size);
    if (rest.slice(from + size, from + size + 2) !== '\r\n') throw new Error('a chunk without its end');
    rest = rest.slice(from + size + 2);
  }
  const end = rest.indexOf('\r\n\r\n');
  if (end === -1) return { body, trailer: [], isWhole: false, rest: '' };
  return { body, trailer: readFields(rest.slice(3, end + 2)), isWhole: true, rest: rest.slice(end + 4) };
}
