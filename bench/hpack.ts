/**
 * `npx node bench/hpack.ts`: CPU of one head through HPACK, in nanoseconds and bytes: a browser's request as nghttp2
 * packs it, decoded (the first on a connection, and one after it), an answer and a request of HTTP/1 encoded.
 */
import { HTTP_DEFAULTS } from '../src/model/http-settings.ts';
import { HeaderBlock } from '../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../src/wire/hpack/decoder.ts';
import { HpackEncoder } from '../src/wire/hpack/encoder.ts';
import { NEVER_FORWARDED } from '../src/wire/http1/field-name.ts';
import { HeadParser } from '../src/wire/http1/head-parser.ts';
import { MessageWriter } from '../src/wire/http1/writer.ts';
import { type List, Nghttp2Encoder } from '../test/wire/hpack/nghttp2.ts';

const ROUNDS = 15;
const HEADS = 100_000;

/** The least of many rounds: what the machine's other work adds is not ours. */
function nanoseconds(work: () => void): string {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage().user;
    for (let count = 0; count < HEADS; count += 1) work();
    least = Math.min(least, ((process.cpuUsage().user - before) * 1000) / HEADS);
  }
  return `${least.toFixed(0)} ns`;
}

const BROWSER: List = [
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['cookie', 'session=0123456789abcdef0123456789abcdef'],
  ['sec-fetch-dest', 'document'],
  ['sec-fetch-mode', 'navigate'],
  ['referer', 'https://a.example/shop/index.html'],
];
const ANSWER =
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 19:33:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n' +
  'Content-Length: 612\r\nLast-Modified: Tue, 21 Oct 2025 13:21:21 GMT\r\nETag: "6354a2b1-264"\r\nCache-Control: max-age=60\r\n' +
  'Accept-Ranges: bytes\r\nX-Request-Id: 0123456789abcdef\r\n\r\n';

const peer = new Nghttp2Encoder();
const blocks = [await peer.encode(BROWSER), await peer.encode(BROWSER), await peer.encode(BROWSER)];
peer.close();

const block = new HeaderBlock(HTTP_DEFAULTS);
const [first, , later] = blocks;
const fresh = nanoseconds(() => {
  block.reset(HTTP_DEFAULTS);
  new HpackDecoder(4096).decode(first!, 0, first!.length, block);
  block.conclude('request', true);
});
const decoder = new HpackDecoder(4096);
for (const bytes of blocks) {
  block.reset(HTTP_DEFAULTS);
  if (!decoder.decode(bytes, 0, bytes.length, block) || block.conclude('request', true) !== null)
    throw new Error(`refused: ${block.fault}`);
}
const indexed = nanoseconds(() => {
  block.reset(HTTP_DEFAULTS);
  decoder.decode(later!, 0, later!.length, block);
  block.conclude('request', true);
});
console.log(
  `decode, first request of ${BROWSER.length + 4} fields, a table each time (${first!.length} bytes): ${fresh}`,
);
console.log(`decode, a request after it (${later!.length} bytes): ${indexed}`);

const head = new HeadParser('response');
const bytes = Buffer.from(ANSWER);
head.parse(bytes, 0, bytes.length);
const writer = new MessageWriter(8192);
const encoder = new HpackEncoder();
const answer = nanoseconds(() => {
  writer.length = 0;
  encoder.begin(writer);
  encoder.status(writer, head.status);
  encoder.fields(writer, head, NEVER_FORWARDED, null);
  encoder.contentLength(writer, head.framing.contentLength);
});
console.log(
  `encode, an answer of ${head.fieldCount + 1} fields (${bytes.length} bytes, ${writer.length} packed): ${answer}`,
);
const request = nanoseconds(() => {
  writer.length = 0;
  encoder.begin(writer);
  encoder.method(writer, block.bytes, block.methodStart, block.methodEnd);
  encoder.scheme(writer, true);
  encoder.authority(writer, 'a.example');
  encoder.path(writer, block.bytes, block.targetStart, block.targetEnd);
  encoder.fields(writer, block, NEVER_FORWARDED, null);
  encoder.field(writer, 'x-forwarded-for', '192.0.2.1');
});
console.log(`encode, that request for a backend of HTTP/2 (${writer.length} bytes packed): ${request}`);
const copied = nanoseconds(() => {
  writer.length = 0;
  writer.fields(block, NEVER_FORWARDED, null);
});
console.log(`its fields for a backend of HTTP/1 (${writer.length} bytes): ${copied}`);
