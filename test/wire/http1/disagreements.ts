import { isDeepStrictEqual } from 'node:util';
import type { OracleReading } from './llhttp-oracle.ts';
import type { Reading, Role } from './stream.ts';

/**
 * Where we and `node:http`'s parser (llhttp, as strict as it is by default) differ about a stream, after what both
 * read the same.
 */
export interface Difference {
  /** Who goes on: has a message that the other has not. `both`: each has one, and they are not equal. */
  readonly side: 'we' | 'llhttp' | 'both';
  /** `llhttp`: our fault or ending; `we`: its code; `both`: what of the message. */
  readonly key: string;
}

export function compare(role: Role, mine: Reading, theirs: OracleReading): Difference | null {
  const both = Math.min(mine.messages.length, theirs.messages.length);
  for (let index = 0; index < both; index += 1) {
    const [ours, other] = [mine.messages[index]!, theirs.messages[index]!];
    const upgraded = theirs.upgraded && index === theirs.messages.length - 1;
    // Whether the connection is kept, an interim answer does not say.
    const parts = upgraded || (role === 'response' && INTERIM.test(ours.start)) ? HEAD_PARTS : ALL_PARTS;
    const part = parts.find((name) => !isDeepStrictEqual(ours[name], other[name]));
    if (part !== undefined) return { side: 'both', key: part };
    if (!upgraded) continue;
    if (ours.body !== '' || ours.trailer.length > 0) return { side: 'both', key: 'upgrade with a body' };
    return mine.messages.length > theirs.messages.length ? { side: 'we', key: 'upgrade' } : null;
  }
  if (theirs.messages.length > both) {
    const withBody = theirs.upgraded && theirs.messages.length === both + 1 && BODY_FAULTS.test(mine.ending);
    return { side: 'llhttp', key: withBody ? 'upgrade with a body' : mine.ending };
  }
  return mine.messages.length > both ? { side: 'we', key: theirs.code } : null;
}

const INTERIM = /^1\.[01] 1/;
const HEAD_PARTS = ['start', 'fields'] as const;
const ALL_PARTS = ['start', 'fields', 'body', 'trailer', 'keepAlive'] as const;
const BODY_FAULTS = /more|chunk|trailer/;

export interface Disagreement extends Difference {
  readonly role: Role;
  readonly why: string;
  /** What the stream must look like for it. */
  readonly when?: RegExp;
  /** A stream that shows it. */
  readonly example: string;
}

const H = 'Host: a\r\n';
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\n${H}${fields}\r\n${body}`;
const get = (fields: string): string => `GET / HTTP/1.1\r\n${H}${fields}\r\n`;
const line = (text: string): string => `${text}\r\n${H}\r\n`;
const answer = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;

/**
 * Every class of disagreement there is, each with our decision. The tests and the fuzzer fail on any other; so on
 * every message that we take and llhttp takes, both agree what it is.
 */
export const DISAGREEMENTS: readonly Disagreement[] = [
  ...refused('request', {
    invalid_content_length: ['leading zeros are octal to some', post('Content-Length: 05\r\n', 'hello')],
    invalid_transfer_encoding: [
      'a coding before chunked is one that backends differ about',
      post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    ],
    framing_near_miss: ['CGI and its like read it as the real one', get('Transfer_Encoding: chunked\r\n')],
    transfer_encoding_in_http_1_0: [
      'RFC 9112 section 6.1: the framing is faulty',
      'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    invalid_chunk_size: [
      'more than 12 digits, which is where integers of some end',
      post('Transfer-Encoding: chunked\r\n', `${'0'.repeat(13)}\r\n\r\n`),
    ],
    invalid_chunk_extension: ['not in the grammar', post('Transfer-Encoding: chunked\r\n', '0;=a\r\n\r\n')],
    chunk_extension_too_long: [
      'our limit',
      post('Transfer-Encoding: chunked\r\n', `0;${'a'.repeat(5000)}\r\n\r\n`),
    ],
    invalid_trailer: [
      'a near miss of framing',
      post('Transfer-Encoding: chunked\r\n', '0\r\nContent_Length: 1\r\n\r\n'),
    ],
    trailer_too_large: [
      'our limit',
      post('Transfer-Encoding: chunked\r\n', `0\r\nX: ${'a'.repeat(9000)}\r\n\r\n`),
    ],
    invalid_connection: [
      'not in the grammar; whether the connection is kept would be a guess',
      get('Connection: "close"\r\n'),
    ],
    protected_connection_option: [
      'nobody may have Host, Cookie or X-Forwarded-For taken away',
      get('Connection: cookie\r\n'),
    ],
    invalid_expectation: [
      '417, which is what node:http answers too, but not its parser',
      get('Expect: x\r\n'),
    ],
    too_many_fields: ['our limit', get('X:1\r\n'.repeat(100))],
    fields_too_large: ['our limit', get(`X: ${'a'.repeat(33_000)}\r\n`)],
    invalid_method: [
      'RFC 9112 section 2.2 asks for one empty line, of CRLF',
      '\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    invalid_target: ['a target of no form, or HTTP/0.9', line('GET * HTTP/1.1')],
    invalid_version: ['one space, and HTTP only', line('GET /  HTTP/1.1')],
    version_not_supported: ['505', line('GET / HTTP/2.0')],
    invalid_line_end: ['an empty line ends with CRLF', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    request_line_too_long: ['our limit', line(`GET /${'a'.repeat(8200)} HTTP/1.1`)],
    missing_host: ['not its parser’s business', 'GET / HTTP/1.1\r\n\r\n'],
    repeated_host: ['not its parser’s business', get('Host: b\r\n')],
    invalid_host: ['not its parser’s business', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    host_conflict: ['not its parser’s business', line('GET http://b/ HTTP/1.1')],
    invalid_path: ['not its parser’s business', line('GET /a%00 HTTP/1.1')],
    escaped_slash_in_path: ['not its parser’s business', line('GET /a%2fb HTTP/1.1')],
  }),
  ...refused('response', {
    invalid_version: [
      'no empty line goes before an answer',
      '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    version_not_supported: ['502', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    invalid_status: ['RFC 9110 section 15: 100 to 599', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
    invalid_line_end: ['control bytes in the reason', 'HTTP/1.1 200 \0\r\nContent-Length: 0\r\n\r\n'],
    request_line_too_long: ['our limit', `HTTP/1.1 200 ${'a'.repeat(9000)}\r\nContent-Length: 0\r\n\r\n`],
    invalid_transfer_encoding: [
      'read to the end by some, by length by others',
      answer('Transfer-Encoding: gzip\r\n'),
    ],
    transfer_encoding_in_http_1_0: [
      'RFC 9112 section 6.1',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    framing_near_miss: ['as in requests', answer('Content.Length: 1\r\nContent-Length: 0\r\n')],
    invalid_content_length: [
      'of an answer without a body, or padded',
      'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n',
    ],
    invalid_chunk_size: [
      'more than 12 digits',
      answer('Transfer-Encoding: chunked\r\n', `${'0'.repeat(13)}\r\n\r\n`),
    ],
    invalid_chunk_extension: ['not in the grammar', answer('Transfer-Encoding: chunked\r\n', '0;=a\r\n\r\n')],
    invalid_connection: ['not in the grammar', answer('Connection: "close"\r\nContent-Length: 0\r\n')],
    protected_connection_option: [
      'as in requests',
      answer('Connection: set-cookie\r\nContent-Length: 0\r\n'),
    ],
    too_many_fields: ['our limit', answer(`Content-Length: 0\r\n${'X:1\r\n'.repeat(100)}`)],
    fields_too_large: ['our limit', answer(`Content-Length: 0\r\nX: ${'a'.repeat(66_000)}\r\n`)],
    invalid_trailer: [
      'a near miss of framing',
      answer('Transfer-Encoding: chunked\r\n', '0\r\nContent_Length: 1\r\n\r\n'),
    ],
    trailer_too_large: [
      'our limit',
      answer('Transfer-Encoding: chunked\r\n', `0\r\nX: ${'a'.repeat(9000)}\r\n\r\n`),
    ],
  }),
  {
    role: 'request',
    side: 'we',
    key: 'HPE_INVALID_METHOD',
    why: 'a method is any token (RFC 9110 section 9.1); llhttp knows a list',
    example: line('FOO / HTTP/1.1'),
  },
  ...(['request', 'response'] as const).flatMap((role): Disagreement[] => {
    const build = role === 'request' ? post : answer;
    return [
      {
        role,
        side: 'we',
        key: 'HPE_INVALID_CHUNK_SIZE',
        why: 'RFC 9110 section 5.6.3: bad whitespace must be taken where the grammar has it',
        when: /[0-9a-f][ \t]+;/i,
        example: build('Transfer-Encoding: chunked\r\n', '0 ;a\r\n\r\n'),
      },
      {
        role,
        side: 'we',
        key: 'HPE_STRICT',
        why: 'the same, around the name and before the value of an extension',
        when: /;[ \t]|[ \t][=;]|=[ \t]/,
        example: build('Transfer-Encoding: chunked\r\n', '0;a =b\r\n\r\n'),
      },
    ];
  }),
  {
    role: 'request',
    side: 'llhttp',
    key: 'closed',
    why: 'CONNECT is answered with 405 and nothing after it is read',
    when: /CONNECT /,
    example: line('CONNECT a:80 HTTP/1.1'),
  },
  {
    role: 'request',
    side: 'we',
    key: 'HPE_CLOSED_CONNECTION',
    why: 'the same in a trailer',
    when: /proxy-connection/i,
    example: `${post('Transfer-Encoding: chunked\r\n', '0\r\nProxy-Connection: close\r\n\r\n')}${get('')}`,
  },
  {
    role: 'response',
    side: 'both',
    key: 'keepAlive',
    why: 'the same',
    when: /proxy-connection/i,
    example: 'HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 0\r\n\r\n',
  },
  {
    role: 'request',
    side: 'both',
    key: 'keepAlive',
    why: 'Proxy-Connection is no field of HTTP (RFC 9112 appendix C.2.2); llhttp reads it as Connection',
    when: /proxy-connection/i,
    example: 'GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n',
  },
  ...(['request', 'response'] as const).map(
    (role): Disagreement => ({
      role,
      side: 'both',
      key: 'keepAlive',
      why: 'close goes before keep-alive (RFC 9112 section 9.3); in HTTP/1.0 llhttp has it the other way round',
      when: /HTTP\/1\.0(?=[\s\S]*close)(?=[\s\S]*keep-alive)/i,
      example: `${role === 'request' ? 'GET / HTTP/1.0' : 'HTTP/1.0 200 OK\r\nContent-Length: 0'}\r\nConnection: keep-alive, close\r\n\r\n`,
    }),
  ),
  {
    role: 'response',
    side: 'we',
    key: 'HPE_CLOSED_CONNECTION',
    why: 'close in an interim answer: the final one says what becomes of the connection',
    when: /^HTTP\/1\.[01] 1/,
    example: `HTTP/1.1 103 \r\nConnection: close\r\n\r\n${answer('Content-Length: 0\r\n')}`,
  },
  ...(['both', 'llhttp'] as const).map(
    (side): Disagreement => ({
      role: 'request',
      side,
      key: 'upgrade with a body',
      when: /upgrade/i,
      why: 'for llhttp what follows is the new protocol; we read the body and drop the wish, so no backend sees it',
      example: post(
        'Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n',
        side === 'both' ? 'hello' : 'he',
      ),
    }),
  ),
  {
    role: 'request',
    side: 'we',
    key: 'upgrade',
    when: /HTTP\/1\.0/,
    why: 'RFC 9110 section 7.8: Upgrade in HTTP/1.0 is ignored',
    example: `GET / HTTP/1.0\r\nConnection: keep-alive, upgrade\r\nUpgrade: x\r\n\r\n${get('')}`,
  },
];

/** What llhttp takes and we refuse: fault, why, example. */
function refused(role: Role, rows: Readonly<Record<string, readonly [string, string]>>): Disagreement[] {
  return Object.entries(rows).map(([key, [why, example]]) => ({ role, side: 'llhttp', key, why, example }));
}
