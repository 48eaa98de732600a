import {
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_FAILED,
  ChunkedDecoder,
} from '../../../src/wire/http1/chunked-decoder.ts';
import { HEAD_DONE, HEAD_FAILED, HeadParser } from '../../../src/wire/http1/head-parser.ts';

/** What a message came to, in plain values: for comparing parsers and splits. */
export interface Parsed {
  readonly outcome: 'done' | 'more' | 'failed';
  readonly fault: string;
  readonly start: string;
  readonly fields: readonly string[];
  readonly framing: string;
  readonly length: number;
}

function describe(parser: HeadParser, outcome: Parsed['outcome']): Parsed {
  if (outcome !== 'done')
    return { outcome, fault: parser.fault ?? '', start: '', fields: [], framing: '', length: 0 };
  const { framing } = parser;
  return {
    outcome,
    fault: '',
    start:
      parser.role === 'request'
        ? `${parser.text(parser.methodStart, parser.methodEnd)} ${parser.text(parser.targetStart, parser.targetEnd)} ${parser.version}`
        : `${parser.version} ${parser.status} ${parser.text(parser.reasonStart, parser.reasonEnd)}`,
    fields: Array.from(
      { length: parser.fieldCount },
      (_, field) => `${parser.name(field)}: ${parser.value(field)}`,
    ),
    framing: `${framing.contentLength} ${framing.chunked} ${framing.keepAlive} ${framing.upgrade} ${framing.expectContinue}`,
    length: parser.length,
  };
}

/** Parses `text` in pieces that end at `cuts`, as a connection would that keeps what it has. */
export function parseHead(role: 'request' | 'response', text: string, cuts: readonly number[] = []): Parsed {
  const bytes = Buffer.from(text, 'latin1');
  const parser = new HeadParser(role);
  for (const end of [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]) {
    // A copy at another base each time: positions must not depend on it.
    const base = end % 7;
    const moved = Buffer.alloc(base + end, 0xff);
    bytes.copy(moved, base, 0, end);
    const result = parser.parse(moved, base, base + end);
    if (result === HEAD_DONE) return describe(parser, 'done');
    if (result === HEAD_FAILED) return describe(parser, 'failed');
  }
  return describe(parser, 'more');
}

export interface Decoded {
  readonly outcome: 'end' | 'more' | 'failed';
  readonly fault: string;
  readonly body: string;
  readonly consumed: number;
  readonly trailer: readonly string[];
}

export function decodeChunked(text: string, cuts: readonly number[] = []): Decoded {
  const bytes = Buffer.from(text, 'latin1');
  const decoder = new ChunkedDecoder();
  let body = '';
  let at = 0;
  for (const end of [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]) {
    for (;;) {
      const result = decoder.next(bytes, at, end);
      at = decoder.position;
      if (result === CHUNK_DATA) body += bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
      else if (result === CHUNK_END) {
        const { trailer } = decoder;
        const fields =
          trailer === null
            ? []
            : Array.from(
                { length: trailer.fieldCount },
                (_, field) => `${trailer.name(field)}: ${trailer.value(field)}`,
              );
        return { outcome: 'end', fault: '', body, consumed: at, trailer: fields };
      } else if (result === CHUNK_FAILED) {
        return { outcome: 'failed', fault: decoder.fault!, body, consumed: 0, trailer: [] };
      } else break;
    }
  }
  return { outcome: 'more', fault: '', body, consumed: at, trailer: [] };
}
