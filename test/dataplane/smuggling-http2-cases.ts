import { data, END_STREAM, headers, windowUpdate } from '../wire/h2/frames.ts';

/** What becomes of a request: its stream is reset, the connection goes, we answer, or the backend does. */
export type Outcome = 'reset' | 'goaway' | 'passes' | { readonly reason: string };

/** A request by hand over HTTP/2. */
export interface Http2Smuggling {
  readonly name: string;
  readonly lines: readonly string[];
  /** DATA frames; none: the head ends the stream. */
  readonly body: readonly string[];
  /** The last DATA has no END_STREAM, and no trailers follow. */
  readonly isOpen?: boolean;
  readonly trailer?: readonly string[];
  /** Frames besides. */
  readonly more?: (id: number) => Buffer;
  /** Any of these. */
  readonly outcomes: readonly Outcome[];
  /** `METHOD target` of the one request that a backend may read; null: none. */
  readonly seen: string | null;
  readonly seenBody?: string;
  /** What a backend gets may break off, with its connection. */
  readonly mayCut?: boolean;
  /** Fields (names in lower case) and trailers that the backend gets, and what it must not get anywhere. */
  readonly has?: readonly string[];
  readonly hasTrailer?: readonly string[];
  readonly lacks?: RegExp;
  /** Its connection to an HTTP/1.1 backend serves nobody afterwards. */
  readonly isLast?: boolean;
}

const PSEUDO = [':method: GET', ':scheme: http', ':authority: a.example', ':path: /x'];
const HEAD = [':method: HEAD', ...PSEUDO.slice(1)];
const POST = [':method: POST', ...PSEUDO.slice(1)];
const TUNNEL = [':method: CONNECT', ':protocol: websocket', ...PSEUDO.slice(1)];
const WEB = [':method: POST', ':scheme: http', ':authority: a.example', ':path: /web'];
const TEXT = 'content-type: application/grpc-web-text+proto';
/** What a request within a request looks like. */
const INNER = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';

const instead = (line: string, of: readonly string[] = PSEUDO): string[] => {
  const name = line.slice(0, line.indexOf(': ', 1));
  return of.map((each) => (each.startsWith(`${name}:`) ? line : each));
};
const without = (name: string): string[] => PSEUDO.filter((line) => !line.startsWith(`${name}:`));

type Rows = Readonly<Record<string, Partial<Http2Smuggling> & { readonly lines: readonly string[] }>>;

function all(outcomes: readonly Outcome[], seen: string | null, rows: Rows): Http2Smuggling[] {
  return Object.entries(rows).map(([name, row]) => ({ name, body: [], outcomes, seen, ...row }));
}

function refused(rows: Readonly<Record<string, readonly string[]>>): Http2Smuggling[] {
  return all(
    ['reset'],
    null,
    Object.fromEntries(Object.entries(rows).map(([name, lines]) => [name, { lines }])),
  );
}

function answered(reason: string, rows: Readonly<Record<string, readonly string[]>>): Http2Smuggling[] {
  return all(
    [{ reason }],
    null,
    Object.fromEntries(Object.entries(rows).map(([name, lines]) => [name, { lines }])),
  );
}

const FRAMING: readonly Http2Smuggling[] = [
  ...all(['reset'], null, {
    'a length and no data': { lines: [...POST, 'content-length: 5'] },
    'a length and empty data': { lines: [...POST, 'content-length: 5'], body: [''], mayCut: true },
    'less data than length': { lines: [...POST, 'content-length: 50'], body: ['hello'], mayCut: true },
    'more data than length': { lines: [...POST, 'content-length: 5'], body: [`hello${INNER}`], mayCut: true },
    'more data in a frame of its own': {
      lines: [...POST, 'content-length: 5'],
      body: ['hello', INNER],
      mayCut: true,
      seen: 'POST /x',
      seenBody: 'hello',
    },
    'data and a length of 0': { lines: [...POST, 'content-length: 0'], body: [INNER] },
    'data and a length of 0, of GET': {
      lines: [...PSEUDO, 'content-length: 0'],
      body: [INNER],
      seen: 'GET /x',
    },
    'two lengths': { lines: [...POST, 'content-length: 5', 'content-length: 35'], body: ['hello'] },
    'a length of 0 and another': {
      lines: [...POST, 'content-length: 0', 'content-length: 5'],
      body: ['hello'],
    },
    'a length and, in trailers, another': {
      lines: [...POST, 'content-length: 5'],
      body: ['hello'],
      trailer: ['content-length: 50'],
      mayCut: true,
      seen: 'POST /x',
      seenBody: 'hello',
    },
    'less data than length before trailers': {
      lines: [...POST, 'content-length: 50'],
      body: ['hello'],
      trailer: ['x: y'],
      mayCut: true,
    },
  }),
  ...[
    '+5',
    '-5',
    '05',
    '5 ',
    ' 5',
    '0x5',
    '5,5',
    '5, 5',
    '5.0',
    '5e0',
    '',
    '5;a',
    '1000000000000000',
  ].flatMap((value) =>
    all(['reset'], null, {
      [`length "${value}"`]: { lines: [...POST, `content-length: ${value}`], body: ['hello'] },
    }),
  ),
  ...refused({
    'transfer-encoding: chunked': [...POST, 'transfer-encoding: chunked'],
    'transfer-encoding: identity': [...POST, 'transfer-encoding: identity'],
    'an empty transfer-encoding': [...POST, 'transfer-encoding: '],
    'Transfer-Encoding in upper case': [...POST, 'Transfer-Encoding: chunked'],
    'transfer-encoding with a space': [...POST, 'transfer-encoding : chunked'],
    'transfer-encoding with a line end': [...POST, 'transfer-encoding\r\n: chunked'],
    'transfer-encoding behind a line end': [...POST, 'x: y\r\ntransfer-encoding: chunked'],
    transfer_encoding: [...POST, 'transfer_encoding: chunked'],
    'transfer.encoding': [...POST, 'transfer.encoding: chunked'],
    content_length: [...POST, 'content_length: 5'],
    'content+length': [...POST, 'content+length: 5'],
    'content-length with a NUL': [...POST, 'content-length\0: 5'],
  }),
  ...all(['reset'], null, {
    'transfer-encoding with a body in chunks': {
      lines: [...POST, 'transfer-encoding: chunked'],
      body: [`0\r\n\r\n${INNER}`],
    },
    'transfer-encoding beside a length': {
      lines: [...POST, 'transfer-encoding: chunked', 'content-length: 5'],
      body: ['0\r\n\r\n'],
    },
  }),
  ...all(['passes'], 'POST /x', {
    'a body that looks like chunks': {
      lines: POST,
      body: [`0\r\n\r\n${INNER}`],
      seenBody: `0\r\n\r\n${INNER}`,
    },
    'a body that looks like a request': {
      lines: [...POST, `content-length: ${INNER.length}`],
      body: [INNER],
      seenBody: INNER,
      has: [`content-length: ${INNER.length}`],
    },
    'the same length twice': {
      lines: [...POST, 'content-length: 5', 'content-length: 5'],
      body: ['hello'],
      seenBody: 'hello',
      has: ['content-length: 5'],
    },
    'empty frames around a body': {
      lines: [...POST, 'content-length: 5'],
      body: ['', 'he', '', 'llo', ''],
      seenBody: 'hello',
    },
    'no body, and an end of its own': { lines: POST, body: [''], seenBody: '' },
    'a length of 0': { lines: [...POST, 'content-length: 0'], seenBody: '' },
  }),
  ...all(['passes'], 'GET /x', {
    'a body of GET': { lines: PSEUDO, body: [INNER], seenBody: INNER, isLast: true },
    'a body of GET with a length': {
      lines: [...PSEUDO, `content-length: ${INNER.length}`],
      body: [INNER],
      seenBody: INNER,
      isLast: true,
    },
  }),
  ...all(['passes'], 'HEAD /x', {
    'a body of HEAD': { lines: HEAD, body: [INNER], seenBody: INNER, isLast: true },
  }),
];

const TRAILERS: readonly Http2Smuggling[] = [
  ...Object.entries({
    'transfer-encoding in a trailer': 'transfer-encoding: chunked',
    'host in a trailer': 'host: b.example',
    'connection in a trailer': 'connection: close',
    'expect in a trailer': 'expect: 100-continue',
    'upgrade in a trailer': 'upgrade: h2c',
    'te in a trailer': 'te: gzip',
    'a line end in a trailer': `x: y\r\n\r\n${INNER}`,
    'LF in the name of a trailer': 'x\nGET /admin: y',
    'content_length in a trailer': 'content_length: 5',
    'upper case in a trailer': 'X: y',
    ':method in a trailer': ':method: POST',
    ':path in a trailer': ':path: /admin',
    'an unknown pseudo field in a trailer': ':x: y',
    'an empty name in a trailer': ': y',
  }).flatMap(([name, line]) =>
    all(['reset'], null, { [name]: { lines: POST, body: ['hello'], trailer: [line], mayCut: true } }),
  ),
  ...all(['passes'], 'POST /x', {
    trailers: {
      lines: POST,
      body: ['hello'],
      trailer: ['x-sum: 1'],
      seenBody: 'hello',
      hasTrailer: ['x-sum: 1'],
    },
    'trailers of what belongs to the head': {
      lines: POST,
      body: ['hello'],
      trailer: [
        'cookie: a=b',
        'authorization: x',
        'x-forwarded-for: 9.9.9.9',
        'x-real-ip: 9.9.9.9',
        'te: trailers',
      ],
      seenBody: 'hello',
      hasTrailer: [],
    },
    'trailers behind a length': {
      lines: [...POST, 'content-length: 5'],
      body: ['hello'],
      trailer: ['x-sum: 1'],
      seenBody: 'hello',
      hasTrailer: [],
    },
    'no trailers': { lines: POST, body: ['hello'], trailer: [], seenBody: 'hello', hasTrailer: [] },
  }),
  ...all(['reset'], null, {
    'a second head that does not end': {
      lines: POST,
      body: ['hello'],
      isOpen: true,
      more: (id) => headers(id, 4, Buffer.of(0, 1, 120, 1, 121)),
      mayCut: true,
    },
  }),
];

const CONNECTION: readonly Http2Smuggling[] = [
  ...refused({
    'connection: close': [...PSEUDO, 'connection: close'],
    'connection: keep-alive': [...PSEUDO, 'connection: keep-alive'],
    'connection that names a field': [...PSEUDO, 'connection: x-auth', 'x-auth: 1'],
    'an empty connection': [...PSEUDO, 'connection: '],
    'keep-alive': [...PSEUDO, 'keep-alive: timeout=5'],
    'proxy-connection': [...PSEUDO, 'proxy-connection: close'],
    'upgrade: websocket': [...PSEUDO, 'upgrade: websocket'],
    'upgrade: h2c': [...PSEUDO, 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAAP__'],
    'te: gzip': [...PSEUDO, 'te: gzip'],
    'te: trailers, chunked': [...PSEUDO, 'te: trailers, chunked'],
  }),
  ...all(['passes'], 'GET /x', {
    'te: trailers': { lines: [...PSEUDO, 'te: trailers'], lacks: /^te:/ },
    'http2-settings': { lines: [...PSEUDO, 'http2-settings: AAMAAABk'], lacks: /http2-settings/i },
    trailer: { lines: [...PSEUDO, 'trailer: content-length'], lacks: /^trailer:/ },
  }),
];

const BYTES: readonly Http2Smuggling[] = [
  ...refused({
    'CR LF in a value': [...PSEUDO, `x: y\r\n\r\n${INNER}`],
    'LF in a value': [...PSEUDO, 'x: y\nhost: b'],
    'CR in a value': [...PSEUDO, 'x: y\rhost: b'],
    'NUL in a value': [...PSEUDO, 'x: y\0'],
    'a folded value': [...PSEUDO, 'x: y\r\n z'],
    'a value that ends with CR': [...PSEUDO, 'x: y\r'],
    'a value that begins with LF': [...PSEUDO, 'x: \ny'],
    'a space before a value': [...PSEUDO, 'x:  y'],
    'a tab behind a value': [...PSEUDO, 'x: y\t'],
    'a value of a space': [...PSEUDO, 'x:  '],
    'ESC in a value': [...PSEUDO, 'x: \x1b[2J'],
    'DEL in a value': [...PSEUDO, 'x: \x7f'],
    'vertical tab in a value': [...PSEUDO, 'x: \x0by'],
    'CR LF in a cookie': [...PSEUDO, 'cookie: a=1', 'cookie: b=2\r\nx: y'],
    'CR LF in a name': [...PSEUDO, 'x: y\r\nz', 'a\r\nb: c'],
    'a request in a name': [...PSEUDO, 'x:y\r\n\r\nGET /admin HTTP/1.1\r\nHost: a'],
    'LF in a name': [...PSEUDO, 'a\nb: c'],
    'NUL in a name': [...PSEUDO, 'a\0b: c'],
    'a space in a name': [...PSEUDO, 'a b: c'],
    'a space behind a name': [...PSEUDO, 'a : c'],
    'a tab before a name': [...PSEUDO, '\ta: c'],
    'a colon in a name': [...PSEUDO, 'a:b: c'],
    'a name in upper case': [...PSEUDO, 'X-Y: c'],
    'Host in upper case': [...PSEUDO, 'Host: b.example'],
    'an empty name': [...PSEUDO, ': c'],
    'obs-text in a name': [...PSEUDO, 'a\xe9: c'],
    'a slash in a name': [...PSEUDO, 'a/b: c'],
    'quotes in a name': [...PSEUDO, '"a": c'],
  }),
  ...all(['passes'], 'GET /x', {
    'underscores in names': {
      lines: [...PSEUDO, 'x_forwarded_for: 9.9.9.9', 'a_b: c'],
      lacks: /forwarded_for|a_b/i,
    },
    'odd bytes in values': {
      lines: [...PSEUDO, 'x: \xe9\xff', 'y: a\tb', 'z: '],
      has: ['x: \xe9\xff', 'y: a\tb', 'z: '],
    },
    'cookies in crumbs': {
      lines: [...PSEUDO, 'cookie: a=1', 'x: y', 'cookie: b=2', 'cookie: c=3'],
      has: ['cookie: a=1; b=2; c=3', 'x: y'],
    },
    'what a client says of itself': {
      lines: [
        ...PSEUDO,
        'x-forwarded-for: 9.9.9.9',
        'forwarded: for=9.9.9.9',
        'x-forwarded-host: b',
        'x-real-ip: 9',
      ],
      lacks: /9\.9\.9\.9|forwarded-host: b|real-ip|^forwarded:/,
      has: ['x-forwarded-for: 127.0.0.1', 'x-forwarded-host: a.example'],
    },
    'a cookie of commas and semicolons': { lines: [...PSEUDO, 'cookie: a=", ;"'], has: ['cookie: a=", ;"'] },
  }),
];

const PSEUDO_FIELDS: readonly Http2Smuggling[] = [
  ...refused({
    'a request in the path': instead(`:path: / HTTP/1.1\r\nHost: b\r\n\r\n${INNER}`),
    'a version in the path': instead(':path: /x HTTP/1.1'),
    'a space in the path': instead(':path: /x y'),
    'a tab in the path': instead(':path: /x\ty'),
    'CR in the path': instead(':path: /x\ry'),
    'LF in the path': instead(':path: /x\ny'),
    'NUL in the path': instead(':path: /x\0'),
    'obs-text in the path': instead(':path: /\xe9'),
    'an empty path': instead(':path: '),
    'a path without slash': instead(':path: x'),
    'an absolute path': instead(':path: http://b.example/'),
    'an authority for a path': instead(':path: b.example:80'),
    'an asterisk of GET': instead(':path: *'),
    'a query for a path': instead(':path: ?x'),
    'a backslash for a path': instead(':path: \\x'),
    'a request in the method': instead(`:method: GET /admin HTTP/1.1\r\nHost: a\r\n\r\nGET`),
    'a target in the method': instead(':method: GET /admin HTTP/1.1'),
    'a space behind the method': instead(':method: GET '),
    'a tab in the method': instead(':method: GE\tT'),
    'LF behind the method': instead(':method: GET\n'),
    'an empty method': instead(':method: '),
    'the method of the preface': instead(':method: PRI'),
    'CR LF in the authority': instead(':authority: a\r\nx: y'),
    'a request in the authority': instead(`:authority: a\r\n\r\n${INNER}`),
    'NUL in the authority': instead(':authority: a\0'),
    'a space behind the authority': instead(':authority: a '),
    'a user in the authority': instead(':authority: admin@a.example'),
    'an empty authority': instead(':authority: '),
    'an empty authority, and Host': [...instead(':authority: '), 'host: a.example'],
    'scheme ftp': instead(':scheme: ftp'),
    'scheme with an authority': instead(':scheme: http://b.example/?'),
    'a request in the scheme': instead(`:scheme: http\r\n\r\n${INNER}`),
    'an empty scheme': instead(':scheme: '),
    'no method': without(':method'),
    'no path': without(':path'),
    'no scheme': without(':scheme'),
    'no pseudo fields': ['host: a.example', 'x: y'],
    'two methods': [...PSEUDO, ':method: POST'],
    'two paths': [...PSEUDO, ':path: /admin'],
    'two authorities': [...PSEUDO, ':authority: b.example'],
    'the same authority twice': [...PSEUDO, ':authority: a.example'],
    'two schemes': [...PSEUDO, ':scheme: https'],
    'the path after a field': [...without(':path'), 'x: y', ':path: /x'],
    'the authority after Host': [...without(':authority'), 'host: a.example', ':authority: b.example'],
    'a status': [...PSEUDO, ':status: 200'],
    'an unknown pseudo field': [...PSEUDO, ':x: y'],
    'a pseudo field of two colons': [...PSEUDO, '::path: /admin'],
    'a pseudo field in upper case': [...without(':path'), ':PATH: /x'],
    'a pseudo field with a space': [...PSEUDO, ':path : /admin'],
  }),
  ...all(['passes'], 'GET /x', {
    'a path first, a method last': { lines: [...PSEUDO].reverse() },
    'scheme https in clear text': { lines: instead(':scheme: https'), has: ['x-forwarded-proto: http'] },
    'scheme HTTP in capitals': { lines: instead(':scheme: HTTP') },
  }),
  ...all(['passes'], 'VERSION-CONTROL /x', {
    'a long method behind its path': {
      lines: [':path: /x', ':method: VERSION-CONTROL', ...PSEUDO.slice(1, 3)],
    },
  }),
  ...all(['passes'], 'ABCDEFGH /x', { 'a method of eight letters': { lines: instead(':method: ABCDEFGH') } }),
  ...all(['passes'], 'ABCDEFGHI /x', {
    'a method of nine letters': { lines: instead(':method: ABCDEFGHI') },
  }),
  ...answered('route_not_found', {
    'an asterisk of OPTIONS': instead(':path: *', instead(':method: OPTIONS')),
  }),
];

const HOSTS: readonly Http2Smuggling[] = [
  ...refused({
    'another Host': [...PSEUDO, 'host: b.example'],
    'Host with a port': [...PSEUDO, 'host: a.example:80'],
    'Host with a dot': [...PSEUDO, 'host: a.example.'],
    'an empty Host beside the authority': [...PSEUDO, 'host: '],
    'two Hosts': [...without(':authority'), 'host: a.example', 'host: b.example'],
    'the same Host twice': [...PSEUDO, 'host: a.example', 'host: a.example'],
    'neither authority nor Host': without(':authority'),
    'a line end in Host': [...without(':authority'), 'host: a\r\nx: y'],
  }),
  ...answered('bad_request', {
    'an authority with a path': instead(':authority: a.example/admin'),
    'an authority with a query': instead(':authority: a.example?x'),
    'an authority with a fragment': instead(':authority: a.example#x'),
    'an authority with a space': instead(':authority: a b'),
    'an authority list': instead(':authority: a.example,b.example'),
    'an authority with a backslash': instead(':authority: a\\b'),
    'an authority with two ports': instead(':authority: a:80:81'),
    'an authority with a port of letters': instead(':authority: a:x'),
    'an authority with a port too great': instead(':authority: a:65536'),
    'an authority with a sign before its port': instead(':authority: a:+80'),
    'an authority of a port': instead(':authority: :80'),
    'an authority with an escape': instead(':authority: a%2eexample'),
    'an authority with obs-text': instead(':authority: a\xe9'),
    'an authority of IPv6 without brackets': instead(':authority: ::1'),
    'an authority of IPv6 with a zone': instead(':authority: [fe80::1%25e]'),
    'an authority with empty label': instead(':authority: a..b'),
    'an authority that is long': instead(`:authority: ${'a.'.repeat(200)}`),
    'Host with a user': [...without(':authority'), 'host: u@a.example'],
    'an empty Host': [...without(':authority'), 'host: '],
    'Host that is a list': [...without(':authority'), 'host: a, b'],
  }),
  ...all(['passes'], 'GET /x', {
    'Host for the authority': {
      lines: [...without(':authority'), 'host: b.example'],
      has: ['host: b.example'],
    },
    'Host in other case': { lines: [...PSEUDO, 'host: A.Example'], has: ['host: a.example'] },
    'an authority with a port': {
      lines: instead(':authority: a.example:8080'),
      has: ['host: a.example:8080'],
    },
    'an authority of IPv6': { lines: instead(':authority: [::1]:80'), has: ['host: [::1]:80'] },
  }),
];

const PATHS: readonly Http2Smuggling[] = [
  ...answered('bad_request', {
    'a fragment': instead(':path: /x#y'),
    'a backslash': instead(':path: /x\\y'),
    'an escaped slash': instead(':path: /x%2fy'),
    'an escaped backslash': instead(':path: /x%5Cy'),
    'an escaped line end': instead(':path: /x%0d%0aX:y'),
    'an escaped NUL': instead(':path: /x%00'),
    'a broken escape': instead(':path: /x%zz'),
    'dots that leave the root': instead(':path: /../x'),
    'escaped dots that leave the root': instead(':path: /%2e%2e/x'),
    'dots with a parameter': instead(':path: /x/..;/y'),
    'an overlong slash': instead(':path: /x%c0%afy'),
  }),
  ...all(['passes'], 'GET /x/y', {
    'dots within': { lines: instead(':path: /x/z/../y') },
    'escaped dots within': { lines: instead(':path: /x/z/%2e%2E/y') },
    'double slashes': { lines: instead(':path: //x//y') },
    'escaped letters': { lines: instead(':path: /%78/%79') },
  }),
  ...all(['passes'], 'GET /x%252e?a=http://b/%2f\\..', {
    'escaped twice, and a query as it is': { lines: instead(':path: /x%252e?a=http://b/%2f\\..') },
  }),
];

const LIMITS: readonly Http2Smuggling[] = [
  ...answered('request_line_too_long', {
    'a path too long': instead(`:path: /${'x'.repeat(8200)}`),
    'a method too long': instead(`:method: ${'X'.repeat(8200)}`),
  }),
  ...answered('headers_too_large', {
    'fields too large': [...PSEUDO, `x: ${'y'.repeat(32_760)}`],
    'a name too large': [...PSEUDO, `${'x'.repeat(32_780)}: y`],
    'too many fields': [...PSEUDO, ...Array.from({ length: 101 }, () => 'x: y')],
    'crumbs too large': [...PSEUDO, ...Array.from({ length: 900 }, () => `cookie: ${'y'.repeat(40)}`)],
    'an authority too large': instead(`:authority: ${'a'.repeat(33_000)}`),
  }),
  ...all(['passes'], `GET /${'x'.repeat(8178)}`, {
    'the longest path': { lines: instead(`:path: /${'x'.repeat(8178)}`) },
  }),
  ...all(['passes'], 'GET /x', {
    'as many fields as may be': { lines: [...PSEUDO, ...Array.from({ length: 90 }, (_, at) => `x${at}: y`)] },
    'a large field': { lines: [...PSEUDO, `x: ${'y'.repeat(30_000)}`], has: [`x: ${'y'.repeat(30_000)}`] },
    'many crumbs': {
      lines: [...PSEUDO, ...Array.from({ length: 500 }, (_, at) => `cookie: a${at}=${'y'.repeat(20)}`)],
      has: [`cookie: ${Array.from({ length: 500 }, (_, at) => `a${at}=${'y'.repeat(20)}`).join('; ')}`],
    },
  }),
  ...all(['goaway'], null, { 'a head of no end': { lines: [...PSEUDO, `x: ${'y'.repeat(80_000)}`] } }),
  ...all(['reset'], null, {
    'a trailer too large': {
      lines: POST,
      body: ['hello'],
      trailer: [`x: ${'y'.repeat(33_000)}`],
      mayCut: true,
    },
  }),
];

const EXPECTATIONS: readonly Http2Smuggling[] = [
  ...answered('expectation_failed', {
    'an expectation of nobody': [...PSEUDO, 'expect: 200-ok'],
    'an expectation in a list': [...PSEUDO, 'expect: 100-continue, x'],
  }),
  ...all(['passes'], 'GET /x', {
    'an expectation without a body': { lines: [...PSEUDO, 'expect: 100-continue'], lacks: /^expect/ },
  }),
  ...all(['passes'], 'POST /x', {
    'an expectation with a body': {
      lines: [...POST, 'expect: 100-continue', 'content-length: 5'],
      body: ['hello'],
      seenBody: 'hello',
      has: ['expect: 100-continue', 'content-length: 5'],
    },
  }),
];

const TUNNELS: readonly Http2Smuggling[] = [
  ...all([{ reason: 'method_not_allowed' }], null, {
    CONNECT: { lines: [':method: CONNECT', ':authority: a.example:443'] },
    'CONNECT and bytes': { lines: [':method: CONNECT', ':authority: a.example:443'], body: [INNER] },
    'CONNECT without a port': { lines: [':method: CONNECT', ':authority: a.example'] },
  }),
  ...refused({
    'CONNECT with a path': instead(':method: CONNECT'),
    'CONNECT with a scheme': [':method: CONNECT', ':authority: a:443', ':scheme: http'],
    'CONNECT by Host': [':method: CONNECT', 'host: a:443'],
    'CONNECT of a user': [':method: CONNECT', ':authority: u@a:443'],
    'CONNECT with a length': [':method: CONNECT', ':authority: a:443', 'content-length: 5'],
    'CONNECT with a line end': [':method: CONNECT', ':authority: a:443\r\nx: y'],
    'extended GET': [...PSEUDO, ':protocol: websocket'],
    'extended CONNECT without a path': TUNNEL.slice(0, 4),
    'extended CONNECT with two protocols': [...TUNNEL, ':protocol: websocket'],
    'extended CONNECT with an empty protocol': instead(':protocol: ', TUNNEL),
    'extended CONNECT with a line end': instead(':protocol: websocket\r\nx: y', TUNNEL),
    'extended CONNECT with upgrade': [...TUNNEL, 'upgrade: websocket', 'connection: upgrade'],
    'extended CONNECT with transfer-encoding': [...TUNNEL, 'transfer-encoding: chunked'],
  }),
  ...answered('protocol_not_supported', {
    'extended CONNECT for HTTP/2': instead(':protocol: h2c', TUNNEL),
    'extended CONNECT for UDP': instead(':protocol: connect-udp', TUNNEL),
  }),
  ...all(['reset'], null, {
    'extended CONNECT with a length': { lines: [...TUNNEL, 'content-length: 5'], body: ['hello'] },
  }),
  // The backend has not switched: nothing of what was sent ahead is for it.
  ...all(['passes'], 'GET /x', {
    'extended CONNECT and a request sent ahead': {
      lines: TUNNEL,
      body: [INNER],
      isOpen: true,
      seenBody: '',
      lacks: /admin/,
    },
    'extended CONNECT that ends at once': { lines: TUNNEL, seenBody: '' },
    'extended CONNECT with a key of its own': {
      lines: [...TUNNEL, 'sec-websocket-key: AAAA', 'sec-websocket-version: 8'],
      body: [''],
      lacks: /AAAA$/,
      has: ['sec-websocket-version: 8'],
    },
  }),
];

const CALLS: readonly Http2Smuggling[] = [
  ...all(['passes'], 'POST /web', {
    'gRPC-Web in text with its length': {
      lines: [...WEB, TEXT, 'content-length: 8'],
      body: ['AAAAAAA='],
      seenBody: '\0\0\0\0\0',
      has: ['content-type: application/grpc+proto'],
      lacks: /content-length/i,
    },
    'gRPC-Web in text that holds a request': {
      lines: [...WEB, TEXT],
      body: [Buffer.from(`0\r\n\r\n${INNER}`).toString('base64')],
      seenBody: `0\r\n\r\n${INNER}`,
    },
    'gRPC-Web with two types': {
      lines: [...WEB, 'content-type: application/grpc-web', 'content-type: x+y"z,\xe9'],
      body: ['hello'],
      seenBody: 'hello',
      lacks: /grpc-web/,
    },
  }),
  ...all(['reset'], null, {
    'gRPC-Web in text with a length of what it stands for': {
      lines: [...WEB, TEXT, 'content-length: 5'],
      body: ['AAAAAAA='],
      mayCut: true,
    },
    'gRPC-Web in text that is short': {
      lines: [...WEB, TEXT, 'content-length: 12'],
      body: ['AAAAAAA='],
      mayCut: true,
    },
    'gRPC-Web with more than its length': {
      lines: [...WEB, 'content-type: application/grpc-web', 'content-length: 5'],
      body: ['hello', INNER],
      mayCut: true,
      seen: 'POST /web',
      seenBody: 'hello',
    },
    'gRPC-Web with transfer-encoding': {
      lines: [...WEB, TEXT, 'transfer-encoding: chunked'],
      body: ['AAAAAAA='],
    },
    'gRPC with two lengths': {
      lines: [...POST, 'content-type: application/grpc', 'content-length: 5', 'content-length: 6'],
      body: ['hello'],
    },
  }),
  ...all([{ reason: 'bad_request' }], null, {
    'gRPC-Web that is no base64': { lines: [...WEB, TEXT], body: ['AAAA\r\n\r\n****'], mayCut: true },
    'gRPC-Web in text that breaks off': { lines: [...WEB, TEXT], body: ['AAAAA'], mayCut: true },
  }),
];

const STREAMS: readonly Http2Smuggling[] = [
  ...all(['passes', 'reset', 'goaway'], 'GET /x', {
    'data after the end': { lines: PSEUDO, more: (id) => data(id, END_STREAM, INNER) },
    'data without end after the end': { lines: PSEUDO, more: (id) => data(id, 0, INNER) },
    'a head after the end': { lines: PSEUDO, more: (id) => headers(id, 5, Buffer.of(0x82, 0x86, 0x84)) },
    'a window opened by nothing after the end': { lines: PSEUDO, more: (id) => windowUpdate(id, 0) },
  }),
  ...all(['goaway'], null, {
    'data on a stream of nobody': {
      lines: PSEUDO,
      seen: 'GET /x',
      more: (id) => data(id + 40, END_STREAM, INNER),
    },
    'data on stream 0': { lines: PSEUDO, seen: 'GET /x', more: () => data(0, END_STREAM, INNER) },
    'a head on an even stream': {
      lines: PSEUDO,
      seen: 'GET /x',
      more: (id) => headers(id + 1, 5, Buffer.of(0x82, 0x86, 0x84)),
    },
    'broken HPACK behind a body': {
      lines: POST,
      body: ['hello'],
      isOpen: true,
      more: (id) => headers(id, 5, Buffer.of(0x80)),
      mayCut: true,
    },
  }),
];

export const HTTP2_SMUGGLING: readonly Http2Smuggling[] = [
  ...FRAMING,
  ...TRAILERS,
  ...CONNECTION,
  ...BYTES,
  ...PSEUDO_FIELDS,
  ...HOSTS,
  ...PATHS,
  ...LIMITS,
  ...EXPECTATIONS,
  ...TUNNELS,
  ...CALLS,
  ...STREAMS,
];
