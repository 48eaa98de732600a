import { isDeepStrictEqual } from 'node:util';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/wire/hpack/encoder.ts';
import { NEVER_FORWARDED } from '../../../src/wire/http1/field-name.ts';
import { HEAD_DONE, HeadParser, RESPONSE_HEADS } from '../../../src/wire/http1/head-parser.ts';
import { RequestTarget } from '../../../src/wire/http1/target.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';
import type { HeadRole } from '../../../src/wire/message/message-head.ts';
import { PlainDecoder } from '../../wire/hpack/plain-decoder.ts';
import { listOf, RecordingBlock } from '../../wire/hpack/recording-block.ts';

/** What stands between the blocks of a sample; each goes through the same decoder. */
export const SEPARATOR = '\xff\x00\xff';

const ROLES: readonly HeadRole[] = ['request', 'response', 'trailer'];

/** What is wrong with how the blocks of a connection are read, or null. */
export function findIn(text: string): string | null {
  const decoder = new HpackDecoder(4096);
  const reference = new PlainDecoder(4096);
  const heads = ROLES.map((role) => ({ role, decoder: new HpackDecoder(4096), block: new HeaderBlock() }));
  const recording = new RecordingBlock();
  try {
    for (const part of text.split(SEPARATOR)) {
      const bytes = Buffer.from(part, 'latin1');
      const expected = reference.decode(bytes);
      recording.clear();
      if (decoder.decode(bytes, 0, bytes.length, recording) !== (expected !== null))
        return `taken: by ${expected === null ? 'us' : 'the plain decoder'} alone`;
      if (expected === null) return null;
      if (!isDeepStrictEqual(recording.list, expected))
        return `list: ${JSON.stringify(recording.list).slice(0, 300)} for ${JSON.stringify(expected).slice(0, 300)}`;
      for (const { role, decoder: own, block } of heads) {
        const settings = role === 'response' ? RESPONSE_HEADS : HTTP_DEFAULTS;
        block.reset(settings);
        own.decode(bytes, 0, bytes.length, block);
        if (block.conclude(role, true) !== null) continue;
        const find = role === 'trailer' ? null : smuggled(role, block);
        if (find !== null) return `smuggled: ${role}: ${find}`;
        if (!isPackedAlike(block)) return `packed: ${role}: ${JSON.stringify(listOf(block)).slice(0, 300)}`;
      }
    }
    return null;
  } catch (error) {
    return `throws: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** A head that is in order is one head of HTTP/1 with the same fields: nothing of it becomes framing or a line. */
function smuggled(role: 'request' | 'response', block: HeaderBlock): string | null {
  const writer = new MessageWriter(block.length + 1024);
  if (role === 'request') {
    const target = new RequestTarget();
    if (block.protocol !== '' || target.read(block, HTTP_DEFAULTS.path) !== null) return null;
    writer.bytes(block.bytes, block.methodStart, block.targetEnd);
    writer.latin1(` HTTP/1.1\r\nHost: ${target.authority}\r\n`);
  } else writer.latin1(`HTTP/1.1 ${block.status} \r\nHost: a\r\n`);
  writer.fields(block, NEVER_FORWARDED, null);
  writer.endHead();
  const { limits } = HTTP_DEFAULTS;
  const head = new HeadParser(role, {
    underscores: 'Drop',
    limits: { ...limits, headerBytes: limits.headerBytes * 3, headerCount: limits.headerCount + 1 },
  });
  const bytes = Buffer.from(writer.written);
  if (head.parse(bytes, 0, bytes.length) !== HEAD_DONE) return `refused: ${head.fault}`;
  if (head.length !== bytes.length) return `${bytes.length - head.length} bytes behind the head`;
  const sent = listOf(block).filter((_, field) => NEVER_FORWARDED[block.ids[field]!] === 0);
  const read = listOf(head).slice(1);
  if (!isDeepStrictEqual(read, sent))
    return `${JSON.stringify(read)} for ${JSON.stringify(sent)}`.slice(0, 600);
  const { framing } = head;
  return framing.chunked || framing.contentLength >= 0 || framing.upgrade ? 'it has a framing' : null;
}

function isPackedAlike(block: HeaderBlock): boolean {
  const writer = new MessageWriter(block.length * 2 + 2048);
  new HpackEncoder().fields(writer, block, new Uint8Array(32), null);
  const recording = new RecordingBlock();
  return (
    new HpackDecoder(4096).decode(writer.block, 0, writer.length, recording) &&
    isDeepStrictEqual(recording.list, listOf(block))
  );
}
