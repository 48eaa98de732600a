import { CODE_LENGTHS } from '../../../src/wire/hpack/huffman.ts';

/** Bits of each byte's code and of EOS, as text: by length and then by byte, each one more than the one before. */
export const CODES: readonly string[] = (() => {
  const codes: string[] = new Array(CODE_LENGTHS.length).fill('');
  const order = Array.from(CODE_LENGTHS.keys()).sort((a, b) => CODE_LENGTHS[a]! - CODE_LENGTHS[b]! || a - b);
  let next = 0n;
  let length = 0;
  for (const symbol of order) {
    next <<= BigInt(CODE_LENGTHS[symbol]! - length);
    length = CODE_LENGTHS[symbol]!;
    codes[symbol] = next.toString(2).padStart(length, '0');
    next += 1n;
  }
  return codes;
})();

export function bitsToBytes(bits: string): Buffer {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from(
    Array.from({ length: padded.length / 8 }, (_, at) =>
      Number.parseInt(padded.slice(at * 8, at * 8 + 8), 2),
    ),
  );
}

export function huffman(bytes: Uint8Array): Buffer {
  return bitsToBytes(Array.from(bytes, (byte) => CODES[byte]!).join(''));
}

/** Bit by bit from the codes alone, or null where RFC 7541 section 5.2 refuses it. */
export function plain(bytes: Uint8Array): Buffer | null {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const symbols = new Map(CODES.map((code, symbol) => [code, symbol]));
  const result: number[] = [];
  let code = '';
  for (const bit of bits) {
    code += bit;
    const symbol = symbols.get(code);
    if (symbol === undefined) continue;
    if (symbol === 256) return null;
    result.push(symbol);
    code = '';
  }
  return code.length < 8 && !code.includes('0') ? Buffer.from(result) : null;
}
