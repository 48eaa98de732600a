import type { Case } from '../case.ts';
import { chapter, echoed, fails, letters, MESSAGES, noise } from '../case.ts';
import type { DeflateParameters } from '../deflate.ts';
import { DEFLATE } from '../deflate.ts';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../frame.ts';

const MESSAGE_SIZES = [0, 1, 16, 126, 1024, 65_536, 1_000_000];

const PARAMETERS: readonly DeflateParameters[] = [
  DEFLATE,
  { ...DEFLATE, clientNoContextTakeover: true },
  { ...DEFLATE, serverNoContextTakeover: true },
  { ...DEFLATE, clientNoContextTakeover: true, serverNoContextTakeover: true },
  { ...DEFLATE, clientMaxWindowBits: 9, serverMaxWindowBits: 9 },
  { ...DEFLATE, clientMaxWindowBits: 9, serverMaxWindowBits: 12, clientNoContextTakeover: true },
  { ...DEFLATE, clientMaxWindowBits: 12, serverNoContextTakeover: true },
];

/** Each message twice, so that the second can refer to the first where the window is kept. */
const messages = chapter(
  12,
  PARAMETERS.flatMap((deflate, index) =>
    MESSAGE_SIZES.flatMap((size) => {
      const text = letters(size);
      return [
        {
          what: `parameters ${index}: text of ${size} bytes, twice`,
          sends: [
            { deflate: text, opcode: TEXT },
            { deflate: text, opcode: TEXT },
          ],
          answers: [echoed(TEXT, text), echoed(TEXT, text)],
          deflate,
        },
        {
          what: `parameters ${index}: what does not compress, ${size} bytes in fragments`,
          sends: [{ deflate: noise(size), opcode: BINARY, fragmentBytes: Math.max(1, Math.floor(size / 3)) }],
          chop: size > 1024 ? 4001 : 7,
          answers: [echoed(BINARY, noise(size))],
          deflate,
        },
      ];
    }),
  ),
);

const hello = Buffer.from('Hello');

const forms = chapter(
  13,
  [
    {
      what: 'RFC 7692 section 7.2.3.1: one block',
      sends: [{ opcode: TEXT, rsv: 4, payload: Buffer.from('f248cdc9c90700', 'hex') }],
      answers: [echoed(TEXT, hello)],
    },
    {
      what: 'RFC 7692 section 7.2.3.1: in two fragments',
      sends: [
        { opcode: TEXT, rsv: 4, fin: false, payload: Buffer.from('f248cd', 'hex') },
        { opcode: CONTINUATION, payload: Buffer.from('c9c90700', 'hex') },
      ],
      answers: [echoed(TEXT, hello)],
    },
    {
      what: 'RFC 7692 section 7.2.3.2: the window is kept',
      sends: [
        { opcode: TEXT, rsv: 4, payload: Buffer.from('f248cdc9c90700', 'hex') },
        { opcode: TEXT, rsv: 4, payload: Buffer.from('f200110000', 'hex') },
      ],
      answers: [echoed(TEXT, hello), echoed(TEXT, hello)],
    },
    {
      what: 'RFC 7692 section 7.2.3.3: a block that is stored',
      sends: [{ opcode: TEXT, rsv: 4, payload: Buffer.from('000500faff48656c6c6f00', 'hex') }],
      answers: [echoed(TEXT, hello)],
    },
    {
      what: 'RFC 7692 section 7.2.3.5: two blocks',
      sends: [{ opcode: TEXT, rsv: 4, payload: Buffer.from('f24805000000ffffcac9c90700', 'hex') }],
      answers: [echoed(TEXT, hello)],
    },
    ...[0, 1, 9].map((level) => ({
      what: `level ${level}`,
      sends: [{ deflate: letters(5000), opcode: TEXT, level }],
      answers: [echoed(TEXT, letters(5000))],
    })),
    {
      what: 'messages that are not compressed, between those that are',
      sends: [
        { deflate: hello, opcode: TEXT },
        { opcode: TEXT, payload: 'plain' },
        { deflate: hello, opcode: BINARY },
        { opcode: BINARY, payload: 'plain' },
      ],
      answers: [echoed(TEXT, hello), echoed(TEXT, 'plain'), echoed(BINARY, hello), echoed(BINARY, 'plain')],
    },
    {
      what: 'a ping between the fragments of what is compressed',
      sends: [
        { opcode: TEXT, rsv: 4, fin: false, payload: Buffer.from('f248cd', 'hex') },
        { opcode: PING, payload: 'now' },
        { opcode: CONTINUATION, payload: Buffer.from('c9c90700', 'hex') },
      ],
      answers: ['pong "now"', echoed(TEXT, hello)],
    },
    {
      what: 'a hundred messages that repeat themselves',
      sends: Array.from({ length: 100 }, () => ({ deflate: letters(300), opcode: TEXT })),
      answers: Array.from({ length: 100 }, () => echoed(TEXT, letters(300))),
    },
  ].map((row) => ({ ...row, deflate: DEFLATE })),
);

const faults = chapter(
  14,
  [
    ...['ff', '06', 'f200110000', '07ff', '000500ffff48656c6c6f00'].flatMap((hex) =>
      MESSAGES.map((opcode) => ({
        what: `message ${opcode} of what is no deflate data: ${hex}`,
        sends: [{ opcode, rsv: 4, payload: Buffer.from(hex, 'hex') }],
        ...fails(1007),
      })),
    ),
    ...[CONTINUATION, PING, PONG, CLOSE].map((opcode) => ({
      what: `opcode ${opcode} that says it is compressed`,
      sends: [
        { opcode: TEXT, rsv: 4, fin: false, payload: Buffer.from('f248cd', 'hex') },
        { opcode, rsv: 4, payload: Buffer.from('03e8', 'hex') },
      ],
      ...fails(1002),
    })),
    ...[1, 2, 3, 5, 6, 7].map((rsv) => ({
      what: `reserved bits ${rsv}, of which only the first is agreed on`,
      sends: [{ opcode: TEXT, rsv, payload: Buffer.from('f248cdc9c90700', 'hex') }],
      ...fails(1002),
    })),
    {
      what: 'what is small until it is unpacked',
      sends: [{ deflate: Buffer.alloc(2_000_001), opcode: BINARY, level: 9 }],
      ...fails(1009),
    },
    {
      what: 'what is no text once it is unpacked',
      sends: [{ deflate: Buffer.from('ff', 'hex'), opcode: TEXT }],
      ...fails(1007),
    },
  ].map((row) => ({ deflate: DEFLATE, ...row })),
);

export const COMPRESSION: readonly Case[] = [...messages, ...forms, ...faults];
