import type { Case } from '../case.ts';
import { chapter, echoed, fails, noise } from '../case.ts';
import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../frame.ts';

const VALID = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];
const INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

function payload(code: number, reason: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

const closes = (code: number): Pick<Case, 'answers' | 'ends'> => ({
  answers: [`close ${code} ""`],
  ends: 'by the endpoint',
});

const codes = chapter(9, [
  { what: 'no code', sends: [{ opcode: CLOSE }], ...closes(1005) },
  { what: 'half a code', sends: [{ opcode: CLOSE, payload: '\x03' }], ...fails(1002) },
  ...VALID.flatMap((code) =>
    ['', 'the reason why'].map((reason) => ({
      what: `code ${code}${reason === '' ? '' : ' with a reason'}`,
      sends: [{ opcode: CLOSE, payload: payload(code, reason) }],
      chop: reason === '' ? 0 : 1,
      ...closes(code),
    })),
  ),
  ...INVALID.flatMap((code) =>
    ['', 'the reason why'].map((reason) => ({
      what: `code ${code}${reason === '' ? '' : ' with a reason'}`,
      sends: [{ opcode: CLOSE, payload: payload(code, reason) }],
      ...fails(1002),
    })),
  ),
  {
    what: 'the longest reason',
    sends: [{ opcode: CLOSE, payload: payload(1000, 'r'.repeat(123)) }],
    ...closes(1000),
  },
  {
    what: 'a reason too long',
    sends: [{ opcode: CLOSE, payload: payload(1000, 'r'.repeat(124)) }],
    ...fails(1002),
  },
  ...['80', 'eda080', 'c3', 'f4908080'].map((hex) => ({
    what: `a reason that is no text: ${hex}`,
    sends: [{ opcode: CLOSE, payload: payload(1000, Buffer.from(hex, 'hex')) }],
    ...fails(1007),
  })),
  {
    what: 'a reason in letters of more bytes',
    sends: [{ opcode: CLOSE, payload: payload(1000, 'Über € 👍') }],
    ...closes(1000),
  },
]);

const after = chapter(10, [
  {
    what: 'a message before the close',
    sends: [
      { opcode: TEXT, payload: 'last' },
      { opcode: CLOSE, payload: payload(1000) },
    ],
    answers: [echoed(TEXT, 'last'), 'close 1000 ""'],
    ends: 'by the endpoint',
  },
  ...[
    { opcode: TEXT, payload: 'too late' },
    { opcode: PING, payload: 'too late' },
    { opcode: CLOSE, payload: payload(1000) },
    { opcode: CONTINUATION, payload: 'too late' },
    { opcode: 5, payload: 'too late' },
    { opcode: BINARY, payload: noise(262_144) },
  ].map((frame) => ({
    what: `opcode ${frame.opcode} with ${frame.payload.length} bytes behind the close`,
    sends: [{ opcode: CLOSE, payload: payload(1001) }, frame],
    ...closes(1001),
  })),
  {
    what: 'what is no frame behind the close',
    sends: [{ opcode: CLOSE, payload: payload(1000) }, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ...closes(1000),
  },
  {
    what: 'what is no frame at all',
    sends: [Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ...fails(1002),
  },
]);

/** The sender ends its half. */
const ended = { ends: 'by the sender' as const };
const ends = chapter(11, [
  { what: 'nothing', sends: [], ...ended },
  {
    what: 'behind a message',
    sends: [{ opcode: TEXT, payload: 'x' }],
    answers: [echoed(TEXT, 'x')],
    ...ended,
  },
  {
    what: 'behind a long message, whose echo comes after the end',
    sends: [{ opcode: BINARY, payload: noise(1_500_000) }],
    answers: [echoed(BINARY, noise(1_500_000))],
    ...ended,
  },
  {
    what: 'behind a fragment',
    sends: [{ opcode: TEXT, payload: 'x', fin: false }],
    ...ended,
  },
  ...[1, 2, 5, 9, 10, 13, 14, 1000, 65_549].map((length) => ({
    what: `${length} bytes into a frame from a client`,
    sends: [cut(true, length)],
    from: 'client' as const,
    ...ended,
  })),
  ...[1, 2, 5, 9, 10, 11, 1000, 65_545].map((length) => ({
    what: `${length} bytes into a frame from a server`,
    sends: [cut(false, length)],
    from: 'server' as const,
    ...ended,
  })),
]);

/** The first bytes of a frame of 64 KiB. */
function cut(masks: boolean, length: number): Buffer {
  const head = Buffer.from([
    0x82,
    (masks ? 0x80 : 0) | 127,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    ...(masks ? [0, 0, 0, 0] : []),
  ]);
  return Buffer.concat([head, noise(65_536)]).subarray(0, length);
}

export const CLOSING: readonly Case[] = [...codes, ...after, ...ends];
