import type { Case } from '../case.ts';
import { chapter, echoed, fails, inPieces } from '../case.ts';
import { BINARY, TEXT } from '../frame.ts';

/** Well-formed UTF-8 (RFC 3629), in hexadecimal. */
const VALID = [
  '48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121',
  '00',
  '7f',
  'c280',
  'dfbf',
  'e0a080',
  'efbfbf',
  'f0908080',
  'f48fbfbf',
  'ed9fbf',
  'ee8080',
  'efbfbd',
  'f0908081f0908081',
  'cebae1bdb9cf83cebcceb5',
  'efbfbe',
  'f09fbfbe',
  'f3bfbfbe',
  'e282ac',
  'f09f918d',
  '61f09f918d62',
  'efbbbf',
  'cc88cc88cc88',
];

/** Not well-formed: overlong, surrogates, beyond U+10FFFF, cut short, continuation bytes alone, impossible bytes. */
const INVALID = [
  'cebae1bdb9cf83cebcceb5eda080656469746564',
  '80',
  'bf',
  '8080',
  '80bf80',
  'c0',
  'c0af',
  'c1bf',
  'c2',
  'df20',
  'e0',
  'e08080',
  'e080af',
  'e09fbf',
  'e0a0',
  'efbf',
  'eda080',
  'edafbf',
  'edb080',
  'edbfbf',
  'eda080edb080',
  'f0',
  'f0808080',
  'f08080af',
  'f08fbfbf',
  'f09080',
  'f4908080',
  'f7bfbfbf',
  'f888808080',
  'fbbfbfbfbf',
  'fc8480808080',
  'fdbfbfbfbfbf',
  'fe',
  'ff',
  'fefeffff',
  '48656c6c6fc3',
  '48c36c6c6f',
  'e282',
  'e282ac82',
];

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const valid = chapter(
  7,
  VALID.flatMap((hex) => [
    {
      what: `${hex} whole`,
      sends: [{ opcode: TEXT, payload: bytes(hex) }],
      answers: [echoed(TEXT, bytes(hex))],
    },
    {
      what: `${hex}, each byte a fragment and a write of few bytes`,
      sends: inPieces(TEXT, bytes(hex), 1),
      chop: 3,
      answers: [echoed(TEXT, bytes(hex))],
    },
  ]),
);

const invalid = chapter(
  8,
  INVALID.flatMap((hex) => [
    { what: `${hex} whole`, sends: [{ opcode: TEXT, payload: bytes(hex) }], ...fails(1007) },
    { what: `${hex}, each byte a fragment`, sends: inPieces(TEXT, bytes(hex), 1), ...fails(1007) },
    {
      what: `${hex} as binary is nobody's business`,
      sends: [{ opcode: BINARY, payload: bytes(hex) }],
      answers: [echoed(BINARY, bytes(hex))],
    },
  ]),
);

export const TEXTS: readonly Case[] = [...valid, ...invalid];
