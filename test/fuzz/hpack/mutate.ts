import type { Draw } from '../../draw.ts';
import { SEPARATOR } from './checks.ts';

/** First bytes of each representation, lengths and indices at their edges, and what harms heads. */
const PIECES = [
  ...[
    '\x80',
    '\x82',
    '\xbe',
    '\xbf',
    '\xc0',
    '\xff',
    '\x40',
    '\x41',
    '\x7f',
    '\x00',
    '\x0f',
    '\x10',
    '\x1f',
    '\x20',
    '\x3f',
  ],
  ...[
    '\x3f\xe1\x1f',
    '\x01',
    '\x05',
    '\x7e',
    '\x81',
    '\x84',
    '\xff\x80',
    SEPARATOR,
    '\r\n',
    '\n',
    ':',
    ' ',
    '\t',
  ],
  ...[
    '\x40\x0atransfer-_\x01x',
    '\x00\x06cookie\x03a=b',
    '\x5c\x015',
    '\x66\x01h',
    '\x04\x02/x',
    '\x01\x01a',
    '\x48\x03204',
  ],
];

/** One to six small harms. */
export function mutated(text: string, draw: Draw, others: readonly string[]): string {
  let result = text;
  for (let count = 1 + draw.below(6); count > 0; count -= 1) {
    const at = draw.below(result.length + 1);
    const to = Math.min(result.length, at + 1 + draw.below(12));
    const before = result.slice(0, at);
    switch (draw.below(7)) {
      case 0:
        result = before + String.fromCharCode(draw.below(256)) + result.slice(at + 1);
        break;
      case 1:
        result = before + result.slice(to);
        break;
      case 2:
        result = before + draw.of(PIECES) + result.slice(at);
        break;
      case 3:
        result = before + draw.of(PIECES) + result.slice(to);
        break;
      case 4:
        result = result.slice(0, to) + result.slice(at);
        break;
      case 5:
        result = result + SEPARATOR + draw.of(others);
        break;
      default:
        result =
          before +
          String.fromCharCode((result.charCodeAt(at) ^ (1 << draw.below(8))) & 255) +
          result.slice(at + 1);
    }
  }
  return result;
}
