import type { Case } from '../case.ts';
import { chapter, echoed, fails, fragments, letters, MESSAGES, noise } from '../case.ts';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../frame.ts';

/** Code 1000. */
const NORMAL = Buffer.from([0x03, 0xe8]);

const SIZES = [0, 1, 2, 3, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_048_576];
const content = (opcode: number, size: number): Buffer => (opcode === TEXT ? letters(size) : noise(size));

/** Sizes at which the header's form changes, as one write and in small ones. */
const sizes = chapter(
  1,
  MESSAGES.flatMap((opcode) =>
    SIZES.flatMap((size) =>
      (size < 200 ? [0, 1] : [0, 997]).map((chop) => ({
        what: `${opcode === TEXT ? 'text' : 'binary'} of ${size} bytes, ${chop === 0 ? 'one write' : `writes of ${chop}`}`,
        sends: [{ opcode, payload: content(opcode, size) }],
        chop,
        answers: [echoed(opcode, content(opcode, size))],
      })),
    ),
  ),
);

const pong = (payload: string): string => `pong ${JSON.stringify(payload)}`;
const binaryPong = (payload: Buffer): string => `pong ${echoed(BINARY, payload).slice(7)}`;

const control = chapter(2, [
  ...[0, 1, 2, 64, 124, 125].flatMap((size) =>
    [0, 1].map((chop) => ({
      what: `ping of ${size} bytes, ${chop === 0 ? 'one write' : 'byte by byte'}`,
      sends: [{ opcode: PING, payload: noise(size) }],
      chop,
      answers: [binaryPong(noise(size))],
    })),
  ),
  ...[PING, PONG].flatMap((opcode) =>
    [126, 65_536].map((size) => ({
      what: `${opcode === PING ? 'ping' : 'pong'} of ${size} bytes`,
      sends: [{ opcode, payload: noise(size) }],
      ...fails(1002),
    })),
  ),
  ...[PING, PONG].map((opcode) => ({
    what: `${opcode === PING ? 'ping' : 'pong'} in fragments`,
    sends: fragments(opcode, Buffer.from('in two'), [3]),
    ...fails(1002),
  })),
  { what: 'unasked pong, empty', sends: [{ opcode: PONG }] },
  { what: 'unasked pong with payload', sends: [{ opcode: PONG, payload: 'unasked' }] },
  {
    what: 'unasked pong, then a ping',
    sends: [
      { opcode: PONG, payload: 'unasked' },
      { opcode: PING, payload: 'asked' },
    ],
    answers: [pong('asked')],
  },
  {
    what: 'ten pings in one write',
    sends: Array.from({ length: 10 }, (_, index) => ({ opcode: PING, payload: `ping ${index}` })),
    answers: Array.from({ length: 10 }, (_, index) => pong(`ping ${index}`)),
  },
  {
    what: 'ten pings byte by byte',
    sends: Array.from({ length: 10 }, (_, index) => ({ opcode: PING, payload: `ping ${index}` })),
    chop: 1,
    answers: Array.from({ length: 10 }, (_, index) => pong(`ping ${index}`)),
  },
  {
    what: 'a hundred messages in one write',
    sends: Array.from({ length: 100 }, (_, index) => ({ opcode: TEXT, payload: `message ${index}` })),
    answers: Array.from({ length: 100 }, (_, index) => echoed(TEXT, `message ${index}`)),
  },
  {
    what: 'a thousand empty messages, in writes that cut headers in two',
    sends: Array.from({ length: 1000 }, () => ({ opcode: BINARY })),
    chop: 1001,
    answers: Array.from({ length: 1000 }, () => echoed(BINARY, '')),
  },
]);

const reserved = chapter(3, [
  ...[TEXT, BINARY, PING, PONG, CLOSE].flatMap((opcode) =>
    [1, 2, 3, 4, 5, 6, 7].map((rsv) => ({
      what: `opcode ${opcode} with reserved bits ${rsv}`,
      sends: [
        { opcode: TEXT, payload: 'before' },
        { opcode, rsv, payload: opcode === CLOSE ? NORMAL : 'odd' },
      ],
      ...fails(1002, [echoed(TEXT, 'before')]),
    })),
  ),
  ...[1, 4, 7].map((rsv) => ({
    what: `continuation with reserved bits ${rsv}`,
    sends: [
      { opcode: TEXT, payload: 'one', fin: false },
      { opcode: CONTINUATION, payload: 'two', rsv },
    ],
    ...fails(1002),
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) =>
    ['', 'payload'].map((payload) => ({
      what: `reserved opcode ${opcode}, ${payload === '' ? 'empty' : 'with payload'}, and more behind it`,
      sends: [
        { opcode: TEXT, payload: 'before' },
        { opcode, payload },
        { opcode: PING, payload: 'after' },
      ],
      ...fails(1002, [echoed(TEXT, 'before')]),
    })),
  ),
]);

/** All ways to cut six bytes into fragments, without and with a ping behind each of them. */
const word = Buffer.from('höhen');
const compositions = Array.from({ length: 2 ** (word.length - 1) }, (_, cuts) => {
  const found: number[] = [];
  let last = 0;
  for (let at = 1; at < word.length; at += 1) {
    if ((cuts & (1 << (at - 1))) === 0) continue;
    found.push(at - last);
    last = at;
  }
  return found;
});

const fragmentation = chapter(4, [
  ...compositions.flatMap((cuts) =>
    [false, true].map((pings) => {
      const frames = fragments(TEXT, word, cuts);
      return {
        what: `cut behind ${cuts.join('+') || 'nothing'}${pings ? ', with pings in between' : ''}`,
        sends: pings
          ? frames.flatMap((frame, index) => [frame, { opcode: PING, payload: `${index}` }])
          : frames,
        chop: pings ? 3 : 0,
        answers: pings
          ? [
              ...frames.slice(0, -1).map((_, index) => pong(`${index}`)),
              echoed(TEXT, word),
              pong(`${frames.length - 1}`),
            ]
          : [echoed(TEXT, word)],
      };
    }),
  ),
  ...MESSAGES.map((opcode) => ({
    what: 'empty first, empty middle, empty last fragment',
    sends: fragments(opcode, Buffer.from('x'), [0, 0, 1, 0]),
    answers: [echoed(opcode, 'x')],
  })),
  {
    what: 'only empty fragments',
    sends: fragments(TEXT, Buffer.alloc(0), [0, 0, 0]),
    answers: [echoed(TEXT, '')],
  },
  ...[true, false].map((fin) => ({
    what: `continuation of nothing, ${fin ? 'last' : 'not last'}`,
    sends: [{ opcode: CONTINUATION, payload: 'of what', fin }],
    ...fails(1002),
  })),
  {
    what: 'continuation behind a whole message',
    sends: [
      { opcode: TEXT, payload: 'whole' },
      { opcode: CONTINUATION, payload: 'more' },
    ],
    ...fails(1002, [echoed(TEXT, 'whole')]),
  },
  ...MESSAGES.flatMap((first) =>
    MESSAGES.map((second) => ({
      what: `message ${second} within a fragmented message ${first}`,
      sends: [
        { opcode: first, payload: 'one', fin: false },
        { opcode: second, payload: 'two' },
      ],
      ...fails(1002),
    })),
  ),
  {
    what: 'close within a fragmented message',
    sends: [
      { opcode: TEXT, payload: 'one', fin: false },
      { opcode: CLOSE, payload: NORMAL },
    ],
    answers: ['close 1000 ""'],
    ends: 'by the endpoint',
  },
  {
    what: '1024 fragments of 1 byte, each a frame with a pong behind it',
    sends: fragments(
      BINARY,
      noise(1024),
      Array.from({ length: 1023 }, () => 1),
    ).flatMap((frame) => [frame, { opcode: PONG }]),
    answers: [echoed(BINARY, noise(1024))],
  },
]);

/** Lengths in more bits than they need pass: RFC 6455 asks for the least, but this endpoint is as lenient as most. */
const lengths = chapter(5, [
  ...[0, 1, 125].flatMap((size) =>
    ([16, 64] as const).map((lengthBits) => ({
      what: `a length of ${size} in ${lengthBits} bits`,
      sends: [{ opcode: BINARY, payload: noise(size), lengthBits }],
      chop: 1,
      answers: [echoed(BINARY, noise(size))],
    })),
  ),
  {
    what: 'a length of 126 in 64 bits',
    sends: [{ opcode: BINARY, payload: noise(126), lengthBits: 64 as const }],
    answers: [echoed(BINARY, noise(126))],
  },
  ...[2n ** 63n, 2n ** 64n - 1n].map((length) => ({
    what: `a length of ${length}`,
    sends: [{ opcode: BINARY, payload: 'short', length, lengthBits: 64 as const }],
    ...fails(1002),
  })),
  ...[2_000_001n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n].map((length) => ({
    what: `a length of ${length}, which is more than is taken`,
    sends: [{ opcode: BINARY, payload: noise(100), length, lengthBits: 64 as const }],
    ...fails(1009),
  })),
  {
    what: 'fragments that are together more than is taken',
    sends: fragments(BINARY, noise(2_000_001), [1_000_000, 999_999]),
    ...fails(1009),
  },
  {
    what: 'exactly as much as is taken',
    sends: [{ opcode: BINARY, payload: noise(2_000_000) }],
    answers: [echoed(BINARY, noise(2_000_000))],
  },
  ...[64, 256, 1024, 4096, 16_384, 65_536].map((size) => ({
    what: `256 KiB in fragments of ${size}`,
    sends: fragments(
      BINARY,
      noise(262_144),
      Array.from({ length: 262_144 / size - 1 }, () => size),
    ),
    answers: [echoed(BINARY, noise(262_144))],
  })),
]);

const KEYS = ['00000000', 'ffffffff', '0a0d0a0d', '80000000', '47455420'];

const masking = chapter(6, [
  ...[TEXT, BINARY, PING, PONG, CLOSE, CONTINUATION].flatMap((opcode) =>
    ['', 'payload'].map((payload) => ({
      what: `opcode ${opcode}, ${payload === '' ? 'empty' : 'with payload'}, masked where it must not be or the other way round`,
      sends: [
        { opcode: BINARY, payload: 'before' },
        { opcode, payload, mask: 'wrong' as const },
      ],
      ...fails(1002, [echoed(BINARY, 'before')]),
    })),
  ),
  ...KEYS.map((key) => ({
    what: `mask ${key}`,
    sends: [{ opcode: TEXT, payload: 'GET / HTTP/1.1\r\n\r\n', mask: Buffer.from(key, 'hex') }],
    from: 'client' as const,
    answers: [echoed(TEXT, 'GET / HTTP/1.1\r\n\r\n')],
  })),
  {
    what: 'what looks like a request and an answer',
    sends: [
      {
        opcode: BINARY,
        payload: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
      },
    ],
    answers: [
      echoed(BINARY, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
  },
]);

export const FRAMING: readonly Case[] = [
  ...sizes,
  ...control,
  ...reserved,
  ...fragmentation,
  ...lengths,
  ...masking,
];
