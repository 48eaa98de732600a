import type { Draw } from '../../draw.ts';

const BYTES = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '=',
  '"',
  '\\',
  '%',
  '/',
  '.',
  '0',
  '\x7f',
  '\xff',
  '\x0b',
  '_',
  '-',
];

const LINES = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 1000000000000000000000',
  'content-length:5',
  'Transfer-Encoding: chunked',
  'transfer-encoding:chunked',
  'Transfer-Encoding: identity',
  'Transfer_Encoding: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade',
  'Connection: x, close',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Host: a.example',
  'Host: b.example',
  'Host: [::1]:80',
  'TE: trailers',
  'Trailer: X',
  'Keep-Alive: 5',
  'Proxy-Connection: keep-alive',
  'X: y',
  ' folded',
  '',
] as const;

const WORDS = [
  'GET',
  'HEAD',
  'POST',
  'CONNECT',
  'OPTIONS',
  'PRI',
  '*',
  '/',
  '//',
  '/../',
  'http://a.example',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  '100',
  '101',
  '199',
  '204',
  '205',
  '304',
  '200',
  'chunked',
  '0',
  '5',
  '05',
  '0x5',
  '+5',
  'ffffffffffff',
  '1000000000000',
  '%2f',
  '%2e%2e',
  '%00',
  ';a=b',
  ';a="b"',
  ' ;a',
] as const;

const WORD = /[^\s:;,=]+/g;

/** One change of the kind that has fooled parsers; `others` are texts to take pieces from. */
function changed(text: string, draw: Draw, others: readonly string[]): string {
  const at = draw.below(text.length + 1);
  switch (draw.below(14)) {
    case 0:
      return text.slice(0, at) + draw.of(BYTES) + text.slice(at);
    case 1:
      return text.slice(0, at) + draw.of(BYTES) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + draw.below(4));
    case 3:
      return text.slice(0, at) + String.fromCharCode(draw.below(256)) + text.slice(at + 1);
    case 4:
      return text.slice(0, at);
    case 5: {
      const lines = text.split('\r\n');
      lines.splice(1 + draw.below(lines.length), 0, draw.of(LINES));
      return lines.join('\r\n');
    }
    case 6: {
      const lines = text.split('\r\n');
      lines.splice(draw.below(lines.length), 1);
      return lines.join('\r\n');
    }
    case 7: {
      const lines = text.split('\r\n');
      const from = draw.below(lines.length);
      lines.splice(draw.below(lines.length), 0, lines[from]!);
      return lines.join('\r\n');
    }
    case 8: {
      const lines = text.split('\r\n');
      const [a, b] = [draw.below(lines.length), draw.below(lines.length)];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
      return lines.join('\r\n');
    }
    case 9:
    case 10: {
      const words = [...text.matchAll(WORD)];
      if (words.length === 0) return text + draw.of(WORDS);
      const word = draw.of(words);
      return text.slice(0, word.index) + draw.of(WORDS) + text.slice(word.index + word[0].length);
    }
    case 11: {
      const other = draw.of(others);
      return text.slice(0, at) + other.slice(draw.below(other.length + 1));
    }
    case 12:
      return text + draw.of(others);
    default: {
      const end = Math.min(text.length, at + 1 + draw.below(8));
      const part = text.slice(at, end);
      return (
        text.slice(0, at) + (draw.below(2) === 0 ? part.toUpperCase() : part.toLowerCase()) + text.slice(end)
      );
    }
  }
}

const MOST_BYTES = 4096;

/** `text` after one to four changes, cut to a size that keeps the fuzzer fast. */
export function mutated(text: string, draw: Draw, others: readonly string[]): string {
  let result = text;
  for (let changes = 1 + draw.below(4); changes > 0; changes -= 1) result = changed(result, draw, others);
  return result.slice(0, MOST_BYTES);
}
