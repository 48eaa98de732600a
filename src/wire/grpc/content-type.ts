/**
 * Media types of gRPC and gRPC-Web:
 *
 *     application/grpc           [+proto | +json | …] [; parameters]
 *     application/grpc-web       [+proto …]
 *     application/grpc-web-text  [+proto …]           the same in base64
 */
export const NOT_GRPC = 0;
export const GRPC = 1;
export const GRPC_WEB = 2;
export const GRPC_WEB_TEXT = 3;
export type GrpcKind = typeof NOT_GRPC | typeof GRPC | typeof GRPC_WEB | typeof GRPC_WEB_TEXT;

const APPLICATION_GRPC = Buffer.from('application/grpc', 'latin1');
const WEB = Buffer.from('-web', 'latin1');
const TEXT = Buffer.from('-text', 'latin1');

const PLUS = 43;
const SEMICOLON = 59;

/** Which of them `bytes[start, end)`, the value of a `content-type`, is. */
export function grpcKind(bytes: Uint8Array, start: number, end: number): GrpcKind {
  let at = after(bytes, start, end, APPLICATION_GRPC);
  if (at === -1) return NOT_GRPC;
  if (isOver(bytes, at, end)) return GRPC;
  at = after(bytes, at, end, WEB);
  if (at === -1) return NOT_GRPC;
  if (isOver(bytes, at, end)) return GRPC_WEB;
  at = after(bytes, at, end, TEXT);
  return at !== -1 && isOver(bytes, at, end) ? GRPC_WEB_TEXT : NOT_GRPC;
}

/** What says how messages are written (`+proto`), or empty. */
export function messageFormat(contentType: string): string {
  return /^[^;]*?(\+[^;\s]+)/.exec(contentType)?.[1] ?? '';
}

/** Where the word that begins at `start` ends; -1: another one does. `word` is in lower case. */
function after(bytes: Uint8Array, start: number, end: number, word: Uint8Array): number {
  if (end - start < word.length) return -1;
  for (let at = 0; at < word.length; at += 1) {
    const byte = bytes[start + at]!;
    if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== word[at]) return -1;
  }
  return start + word.length;
}

function isOver(bytes: Uint8Array, at: number, end: number): boolean {
  if (at === end) return true;
  const byte = bytes[at]!;
  return byte === PLUS || byte === SEMICOLON || byte === 32 || byte === 9;
}
