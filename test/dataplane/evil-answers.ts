import { literals } from '../wire/h2/blocks.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goAway,
  headers,
  PADDED,
  reset,
  windowUpdate,
} from '../wire/h2/frames.ts';

/** What a client gets: the answer whole, a 502 instead, or one that it cannot take for whole. */
export type Fate = 'whole' | 'refused' | 'cut';

/** An answer of a backend of HTTP/2 by hand. */
export interface EvilAnswer {
  readonly name: string;
  readonly frames: (id: number) => readonly Buffer[];
  readonly isHead?: boolean;
  /** Then the backend's connection ends. */
  readonly ends?: boolean;
  /** It costs the backend's connection what is under way there (RFC 9113 section 5.4.1). */
  readonly breaks?: boolean;
  /** Any of these. */
  readonly fates: readonly Fate[];
  readonly status: number;
  /** All that may come of the body. */
  readonly body: string;
  readonly has?: readonly string[];
  readonly trailer?: readonly string[];
  readonly interims?: readonly number[];
}

/** Nothing of this may come through. */
export const SECRET = 'smuggled';
/** An answer within an answer. */
const INNER = `HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n${SECRET}`;
const LEAK = `x-leak: ${SECRET}`;

type Frames = (id: number) => readonly Buffer[];
const CONTINUATION = 9;

const head =
  (...lines: string[]): Frames =>
  (id) => [headers(id, END_HEADERS, literals(lines))];
const whole =
  (...lines: string[]): Frames =>
  (id) => [headers(id, END_HEADERS | END_STREAM, literals(lines))];
const body =
  (text: string, flags = 0): Frames =>
  (id) => [data(id, flags, Buffer.from(text, 'latin1'))];
const last = (text: string): Frames => body(text, END_STREAM);
const all =
  (...parts: readonly Frames[]): Frames =>
  (id) =>
    parts.flatMap((part) => part(id));
const OK = ':status: 200';
const open = (...lines: string[]): Frames => head(OK, ...lines);

type Row = Frames | (Partial<EvilAnswer> & Pick<EvilAnswer, 'frames'>);

function rows(
  fates: readonly Fate[],
  given: Readonly<Record<string, Row>>,
  defaults: Partial<EvilAnswer> = {},
): EvilAnswer[] {
  return Object.entries(given).map(([name, row]) => ({
    name,
    fates,
    status: 200,
    body: '',
    ...defaults,
    ...(typeof row === 'function' ? { frames: row } : row),
  }));
}

const REFUSED = rows(['refused'], {
  ...Object.fromEntries(
    [
      '000',
      '099',
      '600',
      '999',
      '20',
      '2000',
      'abc',
      '2OO',
      '',
      '+20',
      '20 ',
      ' 20',
      '200 OK',
      '101',
      '٢٠٠',
    ].map((status) => [`status "${status}"`, whole(`:status: ${status}`, LEAK)]),
  ),
  ...Object.fromEntries(
    ['+8', '-8', '08', '8,8', '8, 9', '0x8', '', '8 ', '18446744073709551624'].map((length) => [
      `length "${length}"`,
      all(open(`content-length: ${length}`), last(SECRET)),
    ]),
  ),
  'no status': whole(LEAK),
  'two statuses': whole(OK, OK, LEAK),
  'two statuses that differ': whole(OK, ':status: 404', LEAK),
  'a status after a field': whole(LEAK, OK),
  'a path': whole(OK, ':path: /', LEAK),
  'a method': whole(':method: GET', OK, LEAK),
  'an unknown pseudo field': whole(OK, `:x: ${SECRET}`),
  'a line end in the status': whole(`:status: 200 OK\r\n${LEAK}`),
  'CR LF in a value': whole(OK, `x: y\r\n${LEAK}`),
  'an answer in a value': whole(OK, `x: y\r\n\r\n${INNER}`),
  'CR in a value': whole(OK, `x: y\r${LEAK}`),
  'LF in a value': whole(OK, `x: y\n${LEAK}`),
  'NUL in a value': whole(OK, `x: y\0${SECRET}`),
  'a space before a value': whole(OK, `x:  ${SECRET}`),
  'a tab behind a value': whole(OK, `${LEAK}\t`),
  'CR LF in a name': whole(OK, `x: y\r\nz`, `a\r\n${SECRET}: c`),
  'a colon in a name': whole(OK, `a:b: ${SECRET}`),
  'a space in a name': whole(OK, `a b: ${SECRET}`),
  'an empty name': whole(OK, `: ${SECRET}`),
  'a name in upper case': whole(OK, `X-Leak: ${SECRET}`),
  'connection: close': whole(OK, 'connection: close', LEAK),
  'connection that names a field': whole(OK, 'connection: set-cookie', LEAK),
  'keep-alive': whole(OK, 'keep-alive: timeout=5', LEAK),
  'proxy-connection': whole(OK, 'proxy-connection: close', LEAK),
  upgrade: whole(OK, 'upgrade: websocket', LEAK),
  'transfer-encoding: chunked': all(open('transfer-encoding: chunked', LEAK), last(`0\r\n\r\n${INNER}`)),
  'transfer-encoding beside a length': all(
    open('transfer-encoding: chunked', 'content-length: 8'),
    last(SECRET),
  ),
  content_length: all(open('content_length: 3', LEAK), last(SECRET)),
  'transfer.encoding': all(open('transfer.encoding: chunked', LEAK), last(SECRET)),
  'two lengths': all(open('content-length: 8', 'content-length: 9'), last(SECRET)),
  'a length, and the end': whole(OK, 'content-length: 5', LEAK),
  'no content with a length': whole(':status: 204', 'content-length: 5', LEAK),
  'data before the head': all(body(SECRET), open(), last('')),
  'an interim answer that ends': whole(':status: 103', LEAK),
  'an interim answer with a length': all(head(':status: 103', 'content-length: 8'), body(SECRET), whole(OK)),
  'an interim answer in upper case': all(head(':status: 103', `X: ${SECRET}`), whole(OK)),
  'an interim answer with a line end': all(head(':status: 103', `link: x\r\n${LEAK}`), whole(OK)),
  'an interim answer of a connection': all(head(':status: 103', 'connection: x', LEAK), whole(OK)),
  'data behind an interim answer': all(head(':status: 103'), last(SECRET)),
  'switching protocols': all(head(':status: 101', LEAK), body(SECRET)),
  'a head of too many fields': whole(OK, ...Array.from({ length: 101 }, () => LEAK)),
  'a head too large': whole(OK, ...Array.from({ length: 70 }, () => `x: ${SECRET.repeat(128)}`)),
  'a reset': (id) => [reset(id, 2)],
  'a reset in order': (id) => [reset(id, 0)],
  'nothing, and the end': { frames: () => [], ends: true },
  'half a head, and the end': { frames: (id) => [headers(id, 0, literals([OK, LEAK]))], ends: true },
  'a head that another frame breaks into': (id) => [
    headers(id, 0, literals([OK, LEAK])),
    data(id, END_STREAM, SECRET),
  ],
  'a head of another stream': (id) => [
    headers(id, 0, literals([OK, LEAK])),
    frame(CONTINUATION, END_HEADERS, id + 2, literals([LEAK])),
  ],
  'an answer on stream 0': () => [headers(0, END_HEADERS | END_STREAM, literals([OK, LEAK]))],
  'an answer to nobody': (id) => [headers(id + 100, END_HEADERS | END_STREAM, literals([OK, LEAK]))],
  'a push': (id) => [frame(5, END_HEADERS, id, Buffer.concat([Buffer.of(0, 0, 0, 2), literals([OK, LEAK])]))],
  'broken HPACK': (id) => [headers(id, END_HEADERS | END_STREAM, literals([OK, LEAK]), Buffer.of(0x80))],
});

const INTERIMS = rows(['refused'], {
  'more interim answers than anybody needs': {
    frames: (id) => [
      ...Array.from({ length: 500 }, () => head(':status: 103', 'link: x')(id)).flat(),
      ...whole(OK, LEAK)(id),
    ],
  },
  'more of 100 than anybody needs': {
    frames: (id) => [
      ...Array.from({ length: 500 }, () => head(':status: 100')(id)).flat(),
      ...whole(OK, LEAK)(id),
    ],
  },
});

/** Where head and fault come in one read nothing need have gone out yet. */
const CUT = rows(
  ['cut', 'refused'],
  {
    'more data than length': all(open('content-length: 3'), last(`abc${SECRET}`)),
    'less data than length': all(open('content-length: 9'), last('abc')),
    'empty data for a length': all(open('content-length: 9'), last('')),
    'less data than length before trailers': all(open('content-length: 9'), body('abc'), whole(LEAK)),
    'a status in trailers': all(open(), body('abc'), whole(OK, LEAK)),
    'a path in trailers': all(open(), body('abc'), whole(':path: /', LEAK)),
    'content-length in trailers': all(open(), body('abc'), whole('content-length: 3', LEAK)),
    'transfer-encoding in trailers': all(open(), body('abc'), whole('transfer-encoding: chunked', LEAK)),
    'host in trailers': all(open(), body('abc'), whole('host: a', LEAK)),
    'connection in trailers': all(open(), body('abc'), whole('connection: close', LEAK)),
    'content_length in trailers': all(open(), body('abc'), whole('content_length: 3', LEAK)),
    'upper case in trailers': all(open(), body('abc'), whole(`X-Leak: ${SECRET}`)),
    'CR LF in trailers': all(open(), body('abc'), whole(`x: y\r\n\r\n${INNER}`)),
    'LF in the name of a trailer': all(open(), body('abc'), whole(`x\n${SECRET}: y`)),
    'NUL in trailers': all(open(), body('abc'), whole(`x: \0${SECRET}`)),
    'trailers too large': all(
      open(),
      body('abc'),
      whole(...Array.from({ length: 70 }, () => `x: ${SECRET.repeat(128)}`)),
    ),
    'trailers that do not end': all(open(), body('abc'), head(LEAK)),
    'a second answer': all(open(), body('abc'), whole(':status: 404', LEAK)),
    'an interim answer behind the head': all(open(), body('abc'), head(':status: 103', LEAK), last('')),
    'broken HPACK in trailers': all(open(), body('abc'), (id) => [
      headers(id, END_HEADERS | END_STREAM, Buffer.of(0x80)),
    ]),
    'a reset within the body': all(open(), body('abc'), (id) => [reset(id, 8)]),
    'a reset in order within the body': all(open(), body('abc'), (id) => [reset(id, 0)]),
    'a reset within a length': all(open('content-length: 9'), body('abc'), (id) => [reset(id, 0)]),
    'the end within a length': { frames: all(open('content-length: 9'), body('abc')), ends: true },
    'the end without one': { frames: all(open(), body('abc')), ends: true },
    'goodbye within the body, and the end': {
      frames: (id) => [...open()(id), ...body('abc')(id), goAway(id, 0)],
      ends: true,
    },
    'goodbye to this one within the body': (id) => [
      ...open()(id),
      ...body('abc')(id),
      goAway(id - 2 < 0 ? 0 : id - 2, 0),
    ],
    'a frame too large': all(open(), body('abc'), (id) => [data(id, END_STREAM, SECRET.repeat(4000))]),
    'padding longer than its frame': all(open(), (id) => [
      frame(0, END_STREAM | PADDED, id, Buffer.from(`\xff${SECRET}`, 'latin1')),
    ]),
    'data on stream 0': all(open(), body('abc'), () => [data(0, END_STREAM, SECRET)]),
    'a window opened by nothing': all(open(), body('abc'), (id) => [windowUpdate(id, 0)]),
  },
  { body: 'abc' },
);

/** The answer is whole where its length says so, and what comes behind is nobody's. */
const SURPLUS = rows(['whole', 'cut', 'refused'], {
  'more data than length, in frames': {
    frames: all(open('content-length: 3'), body('abc'), last(INNER)),
    body: 'abc',
  },
  'data and a length of 0': all(open('content-length: 0'), last(SECRET)),
});

const HEADS = rows(['whole', 'cut', 'refused'], {
  'HEAD with data': { frames: all(open('content-length: 8'), last(SECRET)), isHead: true },
  'HEAD with data and no length': { frames: all(open(), last(INNER)), isHead: true },
  'no content with data': { frames: all(head(':status: 204'), last(SECRET)), status: 204 },
  'not modified with data': { frames: all(head(':status: 304'), last(INNER)), status: 304 },
  'not modified with data and a length': {
    frames: all(head(':status: 304', 'content-length: 8'), last(SECRET)),
    status: 304,
  },
});

const WHOLE = rows(['whole'], {
  'an end of its own': { frames: all(open(), body('abc'), last('')), body: 'abc' },
  'no body': whole(OK),
  'no body, and an end of its own': all(open(), last('')),
  'a length of 0': all(open('content-length: 0'), last('')),
  'a body that looks like chunks': {
    frames: all(open(), last('0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n')),
    body: '0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  },
  padding: {
    frames: (id) => [
      ...open('content-length: 3')(id),
      frame(0, END_STREAM | PADDED, id, Buffer.from(`\x04abc\0\0\0\0`)),
    ],
    body: 'abc',
  },
  'HEAD with a length': { frames: whole(OK, 'content-length: 8'), isHead: true, has: ['content-length: 8'] },
  'not modified with a length': { frames: whole(':status: 304', 'content-length: 8'), status: 304 },
  'no content': { frames: whole(':status: 204'), status: 204 },
  'no content, and an end of its own': { frames: all(head(':status: 204'), last('')), status: 204 },
  'the same length twice': {
    frames: all(open('content-length: 3', 'content-length: 3'), last('abc')),
    body: 'abc',
    has: ['content-length: 3'],
  },
  'a status of nobody': { frames: whole(':status: 299'), status: 299 },
  'two cookies': {
    frames: whole(OK, 'set-cookie: a=1', 'set-cookie: b=2'),
    has: ['set-cookie: a=1', 'set-cookie: b=2'],
  },
  'obs-text, a tab, nothing': {
    frames: whole(OK, 'x: \xe9\xff', 'y: a\tb', 'z: '),
    has: ['x: \xe9\xff', 'y: a\tb', 'z: '],
  },
  'interim answers': {
    frames: all(head(':status: 103', 'link: x'), head(':status: 103', 'link: y'), whole(OK)),
    interims: [103, 103],
  },
  trailers: { frames: all(open(), body('abc'), whole('x-sum: 1')), body: 'abc', trailer: ['x-sum: 1'] },
  'trailers of what belongs to the head': {
    frames: all(open(), body('abc'), whole('set-cookie: a=b', 'location: /', 'x-sum: 1')),
    body: 'abc',
    trailer: ['x-sum: 1'],
  },
  'trailers without a body': { frames: all(open(), whole('x-sum: 1')), trailer: ['x-sum: 1'] },
  'trailers without fields': { frames: all(open(), body('abc'), whole()), body: 'abc', trailer: [] },
  'te, trailer': { frames: whole(OK, 'te: trailers', 'trailer: x'), body: '' },
  'a reset in order behind the end': {
    frames: (id) => [...open()(id), ...last('abc')(id), reset(id, 0)],
    body: 'abc',
  },
  'a reset behind the end': {
    frames: (id) => [...open()(id), ...last('abc')(id), reset(id, 8)],
    body: 'abc',
  },
  'data behind the end': {
    breaks: true,
    frames: all(open('content-length: 3'), last('abc'), last(SECRET)),
    body: 'abc',
  },
  'a head behind the end': {
    breaks: true,
    frames: all(open('content-length: 3'), last('abc'), whole(OK, LEAK)),
    body: 'abc',
  },
  'goodbye, then the rest': {
    frames: (id) => [...open()(id), ...body('ab')(id), goAway(id, 0), ...last('c')(id)],
    body: 'abc',
  },
  'goodbye behind the end': {
    frames: (id) => [...open()(id), ...last('abc')(id), goAway(id, 0)],
    body: 'abc',
    ends: true,
  },
});

export const EVIL_ANSWERS: readonly EvilAnswer[] = [
  ...REFUSED,
  ...INTERIMS,
  ...CUT,
  ...SURPLUS,
  ...HEADS,
  ...WHOLE,
];
