import fc from 'fast-check';

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH');
const target = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'c',
      'd',
      'ef',
      'index.html',
      'bc',
      '.',
      '..',
      '%41',
      '%2F',
      '%2e',
      '',
      'x~y',
      ';p=1',
      ':',
      '@',
    ),
    {
      maxLength: 5,
    },
  )
  .map((segments) => `/${segments.join('/')}`);
const query = fc.constantFrom('', '?', '?a=b', '?a=b&c[]=%20', '?x=/../y');
const value = fc.string({
  unit: fc.oneof(fc.constantFrom(...'abcXYZ019 \t,;:"=()/-_\x80\xff'), fc.constantFrom('a')),
  maxLength: 20,
});
const space = fc.constantFrom('', ' ', '\t', '  ');
const field = fc
  .tuple(
    token.filter(
      (name) => !/^(host|content-length|transfer-encoding|connection|expect|upgrade)$/i.test(name),
    ),
    space,
    value,
    space,
  )
  .map(([name, before, text, after]) => `${name}:${before}${text.trim()}${after}\r\n`);
const framing = fc.constantFrom(
  '',
  '',
  'Content-Length: 5\r\n',
  'content-length:0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'TRANSFER-ENCODING:Chunked\r\n',
);
const connection = fc.constantFrom(
  '',
  'Connection: close\r\n',
  'Connection: keep-alive, X\r\n',
  'connection: Upgrade\r\nUpgrade: x\r\n',
);

/** Request heads of the grammar of RFC 9112, in many spellings. */
export const requestHead = fc
  .tuple(method, target, query, fc.array(field, { maxLength: 6 }), framing, connection)
  .map(
    ([verb, path, rest, fields, length, options]) =>
      `${verb} ${path}${rest} HTTP/1.1\r\nHost: a.example\r\n${fields.join('')}${length}${options}\r\n`,
  );

export const responseHead = fc
  .tuple(fc.constantFrom(200, 201, 304, 404, 500), fc.array(field, { maxLength: 6 }), framing)
  .map(([status, fields, length]) => `HTTP/1.1 ${status} Some reason\r\n${fields.join('')}${length}\r\n`);

export const chunkedBody = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.string({ unit: fc.constantFrom(...'abc\r\n0'), minLength: 1, maxLength: 40 }),
        fc.constantFrom('', ';x', ';x=y', ';x="q;\\"z"', ';a=1;b=2'),
        fc.constantFrom('', '0', '00'),
      ),
      { maxLength: 5 },
    ),
    fc.constantFrom('', 'X-Sum: 1\r\n', 'A: b\r\nC:d\r\n'),
  )
  .map(([chunks, trailer]) => ({
    body: chunks.map(([data]) => data).join(''),
    text: `${chunks
      .map(([data, extension, zeros]) => `${zeros}${data.length.toString(16)}${extension}\r\n${data}\r\n`)
      .join('')}0\r\n${trailer}\r\n`,
    trailer,
  }));

/** Small damage of the kinds that have smuggled requests before. */
export const damage: fc.Arbitrary<(head: string) => string> = fc.oneof(
  fc
    .constantFrom(
      'Content-Length: 5\r\nContent-Length: 6\r\n',
      'Content-Length: 5\r\nContent-Length: 5\r\n',
      'Content-Length: +5\r\n',
      'Content-Length: 5, 5\r\n',
      'Content-Length: 0x5\r\n',
      'Content-Length: 05\r\n',
      'Content-Length: -0\r\n',
      'Content-Length: 99999999999999999999\r\n',
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: chunked, chunked\r\n',
      'Transfer-Encoding: identity, chunked\r\n',
      'Transfer-Encoding: xchunked\r\n',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
      'Transfer-Encoding : chunked\r\n',
      'Transfer-Encoding\t: chunked\r\n',
      'Transfer-Encoding:\x0bchunked\r\n',
      'Transfer-Encoding: \x00chunked\r\n',
      'Transfer-Encoding: chunked\n',
      'X: y\rTransfer-Encoding: chunked\r\n',
      'X: y\nTransfer-Encoding: chunked\r\n',
      ' Transfer-Encoding: chunked\r\n',
      'X:\r\n Transfer-Encoding: chunked\r\n',
      'Host: b.example\r\n',
      ': x\r\n',
      'X\r\n',
      'X\x00Y: 1\r\n',
    )
    .map((lines) => (head: string) => head.replace('\r\n\r\n', `\r\n${lines}\r\n`)),
  fc.tuple(fc.nat(400), fc.constantFrom('\r', '\n', '\0', ' ', '\t', '\x0b', '\x7f', ':', ',')).map(
    ([at, byte]) =>
      (head: string) =>
        head.slice(0, at % head.length) + byte + head.slice(at % head.length),
  ),
  fc
    .nat(400)
    .map((at) => (head: string) => head.slice(0, at % head.length) + head.slice((at % head.length) + 1)),
);

const counted = fc
  .string({ unit: fc.constantFrom(...'abc\r\n0:\xff'), maxLength: 30 })
  .map((body) => ({ lines: `Content-Length: ${body.length}\r\n`, text: body }));
const coded = chunkedBody.map(({ text }) => ({ lines: 'Transfer-Encoding: chunked\r\n', text }));
const options = fc.constantFrom(
  '',
  '',
  '',
  'Connection: keep-alive\r\n',
  'Connection: close\r\n',
  'Connection: X, close\r\n',
);

/** Whole requests with body and trailer; HTTP/1.0 too. */
export const wholeRequest = fc
  .tuple(
    method,
    target,
    query,
    fc.array(field, { maxLength: 5 }),
    fc.oneof(fc.constant({ lines: '', text: '' }), counted, coded),
    options,
    fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
  )
  .map(([verb, path, rest, fields, body, connection, version]) => {
    const { lines, text } =
      version === 'HTTP/1.0' && body.lines.startsWith('T') ? { lines: '', text: '' } : body;
    return `${verb} ${path}${rest} ${version}\r\nHost: a.example\r\n${fields.join('')}${lines}${connection}\r\n${text}`;
  });

/** What a client sends ahead: several requests on one connection. */
export const requestStream = fc
  .array(wholeRequest, { minLength: 1, maxLength: 5 })
  .map((requests) => requests.join(''));

/** Interim answers and a final one, with each way of ending. */
export const wholeAnswer = fc
  .tuple(
    fc.array(
      fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
      {
        maxLength: 2,
      },
    ),
    fc.constantFrom('200 OK', '200 ', '204 No Content', '304 Not Modified', '404 Not Found', '599 \xe9'),
    fc.array(field, { maxLength: 5 }),
    fc.oneof(fc.constant({ lines: '', text: 'to the end' }), counted, coded),
    options,
    fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
  )
  .map(([interim, status, fields, body, connection, version]) => {
    const empty = status.startsWith('204') || status.startsWith('304');
    const kept =
      empty || (version === 'HTTP/1.0' && body.lines.startsWith('T')) ? { lines: '', text: '' } : body;
    return `${interim.join('')}${version} ${status}\r\n${fields.join('')}${kept.lines}${connection}\r\n${kept.text}`;
  });
