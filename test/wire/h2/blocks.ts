import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import type { HeadSettings } from '../../../src/wire/http1/head-parser.ts';
import type { HeadRole } from '../../../src/wire/message/message-head.ts';
import { huffman } from '../hpack/huffman-code.ts';

function string(text: string, isHuffman: boolean): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (isHuffman) {
    const coded = huffman(bytes);
    return Buffer.concat([integer(128, 127, coded.length), coded]);
  }
  return Buffer.concat([integer(0, 127, bytes.length), bytes]);
}

function integer(pattern: number, most: number, value: number): Buffer {
  if (value < most) return Buffer.of(pattern | value);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 | (rest & 127));
  return Buffer.of(...bytes, rest);
}

/** A header block of literals, byte for byte what the lines say: `name: value`, also of what nobody may send. */
export function literals(lines: readonly string[], pattern: 0 | 16 | 64 = 0, isHuffman = false): Buffer {
  return Buffer.concat(
    lines.flatMap((line) => {
      const separator = line.startsWith(': ') ? 0 : line.indexOf(': ', 1);
      const name = string(line.slice(0, separator), isHuffman);
      return [Buffer.of(pattern), name, string(line.slice(separator + 2), isHuffman)];
    }),
  );
}

/** The block as it is read; throws where it is no HPACK. */
export function read(
  bytes: Buffer,
  role: HeadRole,
  endStream: boolean,
  settings: HeadSettings = HTTP_DEFAULTS,
  decoder = new HpackDecoder(4096),
  block = new HeaderBlock(settings),
): HeaderBlock {
  block.reset(settings);
  if (!decoder.decode(bytes, 0, bytes.length, block)) throw new Error(`no HPACK: ${bytes.toString('hex')}`);
  block.conclude(role, endStream);
  return block;
}
