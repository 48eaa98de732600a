import type { Nasty } from './nasty-requests.ts';

function all(
  fault: Nasty['fault'],
  build: (value: string) => string,
  rows: Readonly<Record<string, string>>,
): Nasty[] {
  return Object.entries(rows).map(([name, value]) => ({ name, text: build(value), fault }));
}

const line = (text: string): string => `${text}\r\nContent-Length: 2\r\n\r\nok`;
const fields = (text: string): string => `HTTP/1.1 200 OK\r\n${text}\r\n`;
const chunks = (text: string): string => fields('Transfer-Encoding: chunked\r\n') + text;

/** Answers to a GET. Where a fault shows only in a body, the head has been passed on by then. */
export const NASTY_ANSWERS: readonly Nasty[] = [
  ...all('invalid_version', line, {
    'empty line before': '\r\nHTTP/1.1 200 OK',
    'lower case': 'http/1.1 200 OK',
    'another protocol': 'ICY 200 OK',
    'no minor version': 'HTTP/2 200 OK',
    'space before': ' HTTP/1.1 200 OK',
    'a request': 'GET / HTTP/1.1',
    SSH: 'SSH-2.0-OpenSSH',
  }),
  ...all('version_not_supported', line, {
    'HTTP/2.0': 'HTTP/2.0 200 OK',
    'HTTP/1.2': 'HTTP/1.2 200 OK',
    'HTTP/0.9': 'HTTP/0.9 200 OK',
  }),
  ...all('invalid_status', line, {
    'two digits': 'HTTP/1.1 20 OK',
    'four digits': 'HTTP/1.1 2000 OK',
    letters: 'HTTP/1.1 2OO OK',
    'no status': 'HTTP/1.1 OK',
    'two spaces': 'HTTP/1.1  200 OK',
    tab: 'HTTP/1.1\t200 OK',
    'below 100': 'HTTP/1.1 099 OK',
    'above 599': 'HTTP/1.1 600 OK',
    zero: 'HTTP/1.1 000 OK',
    sign: 'HTTP/1.1 +20 OK',
    'text behind the status': 'HTTP/1.1 200OK',
    'nothing behind the version': 'HTTP/1.1',
  }),
  ...all('invalid_line_end', line, {
    'NUL in the reason': 'HTTP/1.1 200 O\0K',
    'LF behind the reason': 'HTTP/1.1 200 OK\n',
    'CR in the reason': 'HTTP/1.1 200 O\rK',
    'DEL in the reason': 'HTTP/1.1 200 \x7f',
  }),
  { name: 'long reason', text: line(`HTTP/1.1 200 ${'a'.repeat(9000)}`), fault: 'request_line_too_long' },
  ...all('invalid_content_length', (value) => fields(`Content-Length:${value}\r\n`), {
    'length with plus': ' +2',
    'length padded': ' 02',
    'length in hex': ' 0x2',
    'length list': ' 2, 2',
    'empty length': '',
    'negative length': ' -1',
    'length of 2^64': ' 18446744073709551616',
  }),
  ...all('repeated_content_length', (value) => fields(`Content-Length: 2\r\n${value}\r\n`), {
    'two lengths': 'Content-Length: 3',
    'the same length twice': 'Content-Length: 2',
  }),
  {
    name: 'CL.TE',
    text: `${fields('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n')}2\r\nok\r\n0\r\n\r\n`,
    fault: 'content_length_with_transfer_encoding',
  },
  ...all('invalid_transfer_encoding', (value) => fields(`Transfer-Encoding:${value}\r\n`), {
    gzip: ' gzip',
    'gzip before': ' gzip, chunked',
    'gzip behind': ' chunked, gzip',
    'coding twice': ' chunked\r\nTransfer-Encoding: chunked',
    identity: ' identity',
    'no coding': '',
  }),
  {
    name: 'coding in HTTP/1.0',
    text: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    fault: 'transfer_encoding_in_http_1_0',
  },
  ...all('framing_near_miss', fields, {
    Transfer_Encoding: 'Transfer_Encoding: chunked\r\n',
    'Content.Length': 'Content.Length: 5\r\n',
  }),
  ...all('invalid_field_name', fields, {
    'space before the colon': 'X : 1\r\n',
    'no name': ': 1\r\n',
    'space before the colon of the coding': 'Transfer-Encoding : chunked\r\n',
    'no colon': 'X\r\n',
    'NUL in a name': 'X\0: 1\r\n',
  }),
  ...all('folded_line', fields, { folded: 'X: 1\r\n 2\r\n', 'leading space': ' X: 1\r\n' }),
  ...all('invalid_field_value', fields, { 'NUL in a value': 'X: \0\r\n', 'ESC in a value': 'X: \x1b\r\n' }),
  ...all('invalid_line_end', fields, { 'bare LF': 'X: 1\nY: 2\r\n', 'bare CR': 'X: 1\rSet-Cookie: a=b\r\n' }),
  ...all('invalid_connection', fields, { 'Connection quoted': 'Connection: "close"\r\n' }),
  ...all('protected_connection_option', fields, {
    'Connection names Set-Cookie': 'Connection: Set-Cookie\r\nContent-Length: 0\r\n',
    'Connection names Content-Length': 'Connection: Content-Length\r\nContent-Length: 0\r\n',
  }),
  {
    name: '204 with a body',
    text: 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok',
    fault: 'invalid_content_length',
  },
  {
    name: '204 in chunks',
    text: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    fault: 'invalid_transfer_encoding',
  },
  {
    name: '100 with a body',
    text: 'HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nok',
    fault: 'invalid_content_length',
  },
  {
    name: '103 in chunks',
    text: 'HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    fault: 'invalid_transfer_encoding',
  },
  { name: 'too many fields', text: fields('X: 1\r\n'.repeat(101)), fault: 'too_many_fields' },
  { name: 'fields too large', text: fields(`X: ${'a'.repeat(66_000)}\r\n`), fault: 'fields_too_large' },
  ...all('invalid_chunk_size', chunks, {
    'chunk size that is none': 'zz\r\nok\r\n0\r\n\r\n',
    'chunk size with LF': '2\nok\r\n0\r\n\r\n',
    'chunk size of 2^64': '10000000000000002\r\nok\r\n0\r\n\r\n',
    'second chunk size that is none': '2\r\nok\r\nzz\r\nok\r\n0\r\n\r\n',
  }),
  ...all('invalid_chunk_end', chunks, {
    'chunk longer than its size': '2\r\nok!\r\n0\r\n\r\n',
    'chunk that ends with LF': '2\r\nok\n0\r\n\r\n',
  }),
  ...all('invalid_chunk_extension', chunks, { 'extension with LF': '2;a\nok\r\n0\r\n\r\n' }),
  ...all('invalid_trailer', chunks, {
    'trailer with space before the colon': '2\r\nok\r\n0\r\nX : 1\r\n\r\n',
    'trailer without a colon': '2\r\nok\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n',
  }),
  {
    name: 'long trailer',
    text: chunks(`2\r\nok\r\n0\r\nX: ${'a'.repeat(9000)}\r\n\r\n`),
    fault: 'trailer_too_large',
  },
  ...all(null, line, {
    'no reason': 'HTTP/1.1 200 ',
    'no reason and no space': 'HTTP/1.1 200',
    'obs-text in the reason': 'HTTP/1.1 200 D\xe9j\xe0 vu',
    'status without a name': 'HTTP/1.1 299 ?',
    'HTTP/1.0': 'HTTP/1.0 200 OK',
  }),
  { name: 'to the end', text: `${fields('')}ok`, fault: null },
  { name: '204 with length 0', text: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', fault: null },
  { name: '304 with a length', text: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', fault: null },
  { name: 'underscore in a name', text: fields('X_Y: 1\r\nContent-Length: 0\r\n'), fault: null },
];
