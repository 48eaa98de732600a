import type { Fault } from '../../../src/wire/http1/fault.ts';
import type { HeadRole } from '../../../src/wire/message/message-head.ts';

/** A list of fields by hand, and what must become of it with a listener's defaults. */
export interface Case {
  readonly name: string;
  readonly role: HeadRole;
  readonly lines: readonly string[];
  readonly endStream: boolean;
  /** Null: it is in order. */
  readonly fault: Fault | null;
}

const GET = [':method: GET', ':scheme: https', ':authority: a.example', ':path: /'];
const POST = [':method: POST', ':scheme: https', ':authority: a.example', ':path: /'];
const OK = [':status: 200'];
const without = (name: string): string[] => GET.filter((line) => !line.startsWith(`${name}:`));
const instead = (line: string): string[] => {
  const name = line.slice(0, line.indexOf(': ', 1));
  return GET.map((each) => (each.startsWith(`${name}:`) ? line : each));
};

type Rows = Readonly<Record<string, readonly string[]>>;

function cases(role: HeadRole, fault: Fault | null, rows: Rows, endStream = true): Case[] {
  return Object.entries(rows).map(([name, lines]) => ({ name, role, lines, endStream, fault }));
}

const get = (rows: Readonly<Record<string, string>>): Rows =>
  Object.fromEntries(Object.entries(rows).map(([name, line]) => [name, [...GET, line]]));

const PSEUDO: readonly Case[] = [
  ...cases('request', 'missing_pseudo_field', {
    'no method': without(':method'),
    'no scheme': without(':scheme'),
    'no path': without(':path'),
    'nothing but an authority and a path': [':authority: a.example', ':path: /'],
    'no method, fields': [':scheme: https', ':path: /', 'host: a.example', 'accept: x'],
  }),
  ...cases('request', 'missing_pseudo_field', {
    'extended CONNECT without path': [
      ':method: CONNECT',
      ':protocol: websocket',
      ':scheme: https',
      ':authority: a',
    ],
    'extended CONNECT without scheme': [
      ':method: CONNECT',
      ':protocol: websocket',
      ':path: /',
      ':authority: a',
    ],
    'CONNECT by Host alone': [':method: CONNECT', 'host: a.example:443'],
  }),
  ...cases('request', 'repeated_pseudo_field', {
    'two methods': [...GET, ':method: POST'],
    'two schemes': [...GET, ':scheme: http'],
    'two authorities': [...GET, ':authority: b.example'],
    'two paths': [...GET, ':path: /b'],
    'the same path twice': [...GET, ':path: /'],
  }),
  ...cases('request', 'misplaced_pseudo_field', {
    'path after a field': [...without(':path'), 'x: y', ':path: /'],
    'authority after a field': [...without(':authority'), 'x: y', ':authority: a.example'],
    'a status in a request': [...GET, ':status: 200'],
    'CONNECT with a path': [':method: CONNECT', ':authority: a.example:443', ':path: /'],
    'CONNECT with a scheme': [':method: CONNECT', ':authority: a.example:443', ':scheme: https'],
  }),
  ...cases('request', 'unknown_pseudo_field', {
    'a pseudo-field of nobody': [...GET, ':test: x'],
    'a colon alone': [...GET, ':: x'],
    'a pseudo-field in upper case': [':METHOD: GET', ...without(':method')],
    'a pseudo-field that begins like one': [...GET, ':pathx: /'],
  }),
  ...cases('request', 'invalid_scheme', {
    'no scheme at all': instead(':scheme: '),
    'a scheme with its end': instead(':scheme: https://'),
    'another scheme': instead(':scheme: ftp'),
  }),
  ...cases('request', 'invalid_protocol', {
    'protocol without CONNECT': [...GET, ':protocol: websocket'],
    'an empty protocol': [':method: CONNECT', ':protocol: ', ...without(':method')],
    'a protocol with a space': [':method: CONNECT', ':protocol: web socket', ...without(':method')],
  }),
  ...cases('response', 'missing_pseudo_field', { 'no status': ['server: x'], 'nothing at all': [] }),
  ...cases('response', 'misplaced_pseudo_field', {
    'a path in an answer': [...OK, ':path: /'],
    'a method in an answer': [':method: GET', ...OK],
    'status after a field': ['server: x', ...OK],
  }),
  ...cases('response', 'repeated_pseudo_field', { 'two statuses': [...OK, ':status: 404'] }),
  ...cases('response', 'invalid_status', {
    'status of two digits': [':status: 20'],
    'status of four digits': [':status: 2000'],
    'status with a letter': [':status: 20x'],
    'status 099': [':status: 099'],
    'status 600': [':status: 600'],
    'switching protocols': [':status: 101'],
    'an interim answer that ends the stream': [':status: 103', 'link: x'],
  }),
];

const START_LINE: readonly Case[] = [
  ...cases('request', 'invalid_method', {
    'an empty method': instead(':method: '),
    'a method with a space': instead(':method: GET /x'),
    'a method with a line end': instead(':method: GET\r\nx: y'),
    'a method with a colon': instead(':method: GE:T'),
    'the method of the preface': instead(':method: PRI'),
    'a method with a NUL': instead(':method: GET\0'),
    'a method with a space before it': instead(':method:  GET'),
  }),
  ...cases('request', 'invalid_target', {
    'an empty path': instead(':path: '),
    'a path with a space': instead(':path: / HTTP/1.1'),
    'a path with a whole request': instead(':path: / HTTP/1.1\r\nHost: b\r\n\r\nGET /admin'),
    'a path with LF': instead(':path: /\nx: y'),
    'a path with a tab': instead(':path: /\tx'),
    'a path with a NUL': instead(':path: /\0'),
    'a path with a DEL': instead(':path: /\x7f'),
    'a path with obs-text': instead(':path: /\xe9'),
    'a path without slash': instead(':path: index.html'),
    'an absolute path': instead(':path: https://b.example/'),
    'a query alone': instead(':path: ?a=b'),
    'an asterisk of GET': instead(':path: *'),
    'an asterisk and more of OPTIONS': [':method: OPTIONS', ...without(':method').slice(0, 2), ':path: *x'],
    'a path with a space behind it': instead(':path: / '),
  }),
  ...cases('request', 'request_line_too_long', { 'a long path': instead(`:path: /${'x'.repeat(8192)}`) }),
  ...cases('request', 'request_line_too_long', {
    'a long path, just': instead(`:path: /${'x'.repeat(8179)}`),
  }),
];

const HOST: readonly Case[] = [
  ...cases('request', 'missing_host', { 'no authority and no Host': without(':authority') }),
  ...cases('request', 'invalid_host', {
    'an empty authority': instead(':authority: '),
    'an empty authority, and Host': [...instead(':authority: '), 'host: a.example'],
    'user information': instead(':authority: user@a.example'),
    'user information and password': instead(':authority: user:secret@a.example'),
  }),
  ...cases('request', 'host_conflict', {
    'another Host': [...GET, 'host: b.example'],
    'Host that is longer': [...GET, 'host: a.example.com'],
    'Host with another port': [...GET, 'host: a.example:8443'],
    'an empty Host': [...GET, 'host: '],
  }),
  ...cases('request', 'repeated_host', {
    'two Hosts': [...without(':authority'), 'host: a.example', 'host: b.example'],
    'Host twice beside the authority': [...GET, 'host: a.example', 'host: a.example'],
  }),
];

const NAMES: readonly Case[] = [
  ...cases(
    'request',
    'uppercase_field_name',
    get({ 'a name in upper case': 'Accept: x', 'a letter of it': 'accepT: x' }),
  ),
  ...cases('request', 'invalid_field_name', {
    'an empty name': [...GET, ': x'],
    'a name with a space': [...GET, 'a b: x'],
    'a name with a space behind it': [...GET, 'content-length : 5'],
    'a name with a colon': [...GET, 'a:b: x'],
    'a name with a line end': [...GET, 'a\r\nb: x'],
    'a name with a NUL': [...GET, 'a\0: x'],
    'a name with obs-text': [...GET, 'a\xe9: x'],
    'a name with a tab': [...GET, '\ta: x'],
    'a name in parentheses': [...GET, '(a): x'],
  }),
  ...cases(
    'request',
    'framing_near_miss',
    get({
      content_length: 'content_length: 5',
      'content.length': 'content.length: 5',
      transfer_encoding: 'transfer_encoding: chunked',
    }),
  ),
  ...cases('response', 'framing_near_miss', { 'content_length in an answer': [...OK, 'content_length: 5'] }),
];

const VALUES: readonly Case[] = [
  ...cases(
    'request',
    'invalid_field_value',
    get({
      'a value with CR LF': 'x: a\r\ntransfer-encoding: chunked',
      'a value with LF': 'x: a\nb',
      'a value with CR': 'x: a\rb',
      'a value with NUL': 'x: a\0b',
      'a value with DEL': 'x: a\x7fb',
      'a value with ESC': 'x: a\x1bb',
      'a value with a space before it': 'x:  a',
      'a value with a space behind it': 'x: a ',
      'a value with a tab before it': 'x: \ta',
      'a value with a tab behind it': 'x: a\t',
      'a cookie with a line end': 'cookie: a=b\r\nx: y',
    }),
  ),
  ...cases('request', 'invalid_field_value', {
    'an authority with a line end': instead(':authority: a.example\r\nx: y'),
    'an authority with a space behind it': instead(':authority: a.example '),
  }),
];

const CONNECTION: readonly Case[] = [
  ...cases(
    'request',
    'connection_field',
    get({
      connection: 'connection: close',
      'connection that names a field': 'connection: x-forwarded-for',
      'keep-alive': 'keep-alive: timeout=5',
      'proxy-connection': 'proxy-connection: keep-alive',
      'transfer-encoding': 'transfer-encoding: chunked',
      'transfer-encoding identity': 'transfer-encoding: identity',
      upgrade: 'upgrade: websocket',
      'upgrade to h2c': 'upgrade: h2c',
    }),
  ),
  ...cases('response', 'connection_field', {
    'connection in an answer': [...OK, 'connection: close'],
    'transfer-encoding in an answer': [...OK, 'transfer-encoding: chunked'],
  }),
  ...cases(
    'request',
    'invalid_te',
    get({
      'te gzip': 'te: gzip',
      'te trailers and gzip': 'te: trailers, gzip',
      'te trailers with weight': 'te: trailers;q=0.5',
      'an empty te': 'te: ',
    }),
  ),
  ...cases('request', 'invalid_expectation', get({ 'an expectation of nobody': 'expect: the-best' })),
];

const FRAMING: readonly Case[] = [
  ...cases(
    'request',
    'repeated_content_length',
    { 'two lengths': [...POST, 'content-length: 5', 'content-length: 6'] },
    false,
  ),
  ...cases(
    'request',
    'invalid_content_length',
    Object.fromEntries(
      ['', '+5', '-5', '05', '0x5', '5, 5', '5,', '5 5', '5.0', 'five', '18446744073709551616', '5;a'].map(
        (value) => [`length "${value}"`, [...POST, `content-length: ${value}`]],
      ),
    ),
    false,
  ),
  ...cases('request', 'invalid_content_length', {
    'a length, and the stream ends': [...POST, 'content-length: 5'],
    'CONNECT with a length': [':method: CONNECT', ':authority: a.example:443', 'content-length: 5'],
  }),
  ...cases('response', 'invalid_content_length', {
    'no content with a length': [':status: 204', 'content-length: 5'],
  }),
  ...cases('request', 'too_many_fields', {
    'too many': [...GET, ...Array.from({ length: 101 }, (_, at) => `x${at}: y`)],
  }),
  ...cases('request', 'fields_too_large', get({ 'too large': `x: ${'y'.repeat(32_768)}` })),
  ...cases('request', 'fields_too_large', {
    'a large authority': instead(`:authority: ${'a'.repeat(33_000)}`),
  }),
  ...cases('request', 'fields_too_large', {
    'crumbs too large': [...GET, ...Array.from({ length: 1000 }, () => `cookie: ${'y'.repeat(50)}`)],
  }),
];

const TRAILERS: readonly Case[] = [
  ...cases('trailer', 'misplaced_pseudo_field', {
    'a status in a trailer': [...OK],
    'a path in a trailer': [':path: /', 'x: y'],
  }),
  ...cases('trailer', 'invalid_trailer', {
    'a length in a trailer': ['content-length: 5'],
    'Host in a trailer': ['host: a.example'],
  }),
  ...cases('trailer', 'invalid_trailer', { 'a trailer and no end': ['x: y'] }, false),
  ...cases('trailer', 'connection_field', {
    'transfer-encoding in a trailer': ['transfer-encoding: chunked'],
  }),
  ...cases('trailer', 'uppercase_field_name', { 'upper case in a trailer': ['X: y'] }),
  ...cases('trailer', 'trailer_too_large', { 'a large trailer': [`x: ${'y'.repeat(33_000)}`] }),
];

/** What is taken, however it looks. */
const IN_ORDER: readonly Case[] = [
  ...cases('request', null, {
    plain: GET,
    'in another order': [...GET].reverse(),
    'Host instead of the authority': [...without(':authority'), 'host: a.example'],
    'Host that is the authority': [...GET, 'host: a.example'],
    'Host that is the authority in other case': [...GET, 'host: A.Example'],
    'OPTIONS of the server': [':method: OPTIONS', ':scheme: https', ':authority: a.example', ':path: *'],
    'te trailers': [...GET, 'te: trailers'],
    'te Trailers': [...GET, 'te: Trailers'],
    'an empty value': [...GET, 'x: '],
    'obs-text in a value': [...GET, 'x: \xe9\xff'],
    'a tab within a value': [...GET, 'x: a\tb'],
    'an odd name': [...GET, 'x!#$: y'],
    'an underscore': [...GET, 'x_y: z'],
    'a length of nothing': [...GET, 'content-length: 0'],
    'a method of nobody': instead(':method: BREW'),
    'a method of many letters, path first': [
      ':path: /x',
      ':method: VERSION-CONTROL',
      ...without(':method').slice(0, 2),
    ],
    'a method in lower case': instead(':method: get'),
    'the longest path': instead(`:path: /${'x'.repeat(8178)}`),
    'extended CONNECT': [':method: CONNECT', ':protocol: websocket', ...without(':method')],
    CONNECT: [':method: CONNECT', ':authority: a.example:443'],
    'as many fields as may be': [...GET, ...Array.from({ length: 100 }, (_, at) => `x${at}: y`)],
    'an expectation': [...GET, 'expect: 100-continue'],
  }),
  ...cases(
    'request',
    null,
    { 'the same length twice': [...POST, 'content-length: 5', 'content-length: 5'] },
    false,
  ),
  ...cases('response', null, {
    'an answer': [...OK, 'content-length: 5'],
    'not modified with a length': [':status: 304', 'content-length: 5'],
    'a status of nobody': [':status: 599'],
  }),
  ...cases('response', null, { 'an interim answer': [':status: 103', 'link: x'] }, false),
  ...cases('trailer', null, { 'a trailer': ['x: y', 'grpc-status: 0'], 'an empty trailer': [] }),
];

export const CASES: readonly Case[] = [
  ...PSEUDO,
  ...START_LINE,
  ...HOST,
  ...NAMES,
  ...VALUES,
  ...CONNECTION,
  ...FRAMING,
  ...TRAILERS,
  ...IN_ORDER,
];
