import { nameKind } from './field-kind.ts';

/** RFC 7541 appendix A, in its order: `name` or `name: value`. */
const FIELDS = [
  ':authority',
  ':method: GET',
  ':method: POST',
  ':path: /',
  ':path: /index.html',
  ':scheme: http',
  ':scheme: https',
  ':status: 200',
  ':status: 204',
  ':status: 206',
  ':status: 304',
  ':status: 400',
  ':status: 404',
  ':status: 500',
  'accept-charset',
  'accept-encoding: gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
] as const;

const CRLF = '\r\n';

interface Laid {
  /** `name: value\r\n` of each, one after another. */
  readonly bytes: Buffer;
  /** By index; 0 is none (section 2.3.3). */
  readonly starts: Uint16Array;
  readonly nameLengths: Uint8Array;
  readonly valueLengths: Uint8Array;
  readonly kinds: Uint8Array;
}

function laid(): Laid {
  const starts = new Uint16Array(FIELDS.length + 1);
  const nameLengths = new Uint8Array(FIELDS.length + 1);
  const valueLengths = new Uint8Array(FIELDS.length + 1);
  const kinds = new Uint8Array(FIELDS.length + 1);
  let text = '';
  for (const [place, field] of FIELDS.entries()) {
    const separator = field.indexOf(': ');
    const name = separator === -1 ? field : field.slice(0, separator);
    const value = separator === -1 ? '' : field.slice(separator + 2);
    const bytes = Buffer.from(name);
    starts[place + 1] = text.length;
    nameLengths[place + 1] = name.length;
    valueLengths[place + 1] = value.length;
    kinds[place + 1] = nameKind(bytes, 0, bytes.length);
    text += `${name}: ${value}${CRLF}`;
  }
  return { bytes: Buffer.from(text), starts, nameLengths, valueLengths, kinds };
}

/** The static table as lines of a head; entries behind STATIC_COUNT are dynamic. */
export const STATIC = laid();
export const STATIC_COUNT = FIELDS.length;
