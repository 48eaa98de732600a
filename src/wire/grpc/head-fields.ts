import { LOWER } from '../http1/characters.ts';
import { FIELD_ID } from '../http1/field-name.ts';
import type { MessageHead } from '../message/message-head.ts';
import { FIELD_STRIDE, NAME_END, NAME_START, VALUE_END, VALUE_START } from '../message/message-head.ts';
import type { GrpcKind } from './content-type.ts';
import { grpcKind, NOT_GRPC } from './content-type.ts';
import { readGrpcTimeout } from './timeout.ts';

const CONTENT_TYPE = Buffer.from('content-type', 'latin1');
const GRPC_TIMEOUT = Buffer.from('grpc-timeout', 'latin1');
const GRPC_STATUS = Buffer.from('grpc-status', 'latin1');

/** Index of the first field of this name, in lower case, that has `id`; or -1. No string is made. */
function fieldNamed(head: MessageHead, id: number, name: Uint8Array): number {
  const { bytes, base, fields, ids, fieldCount } = head;
  for (let field = 0; field < fieldCount; field += 1) {
    if (ids[field] !== id) continue;
    const index = field * FIELD_STRIDE;
    const start = base + fields[index + NAME_START]!;
    if (base + fields[index + NAME_END]! - start !== name.length) continue;
    let at = 0;
    while (at < name.length && LOWER[bytes[start + at]!] === name[at]) at += 1;
    if (at === name.length) return field;
  }
  return -1;
}

/** What a message is by its `content-type`. */
export function grpcKindOf(head: MessageHead): GrpcKind {
  const field = fieldNamed(head, FIELD_ID.HEAD_ONLY, CONTENT_TYPE);
  if (field === -1) return NOT_GRPC;
  const index = field * FIELD_STRIDE;
  const { bytes, base, fields } = head;
  return grpcKind(bytes, base + fields[index + VALUE_START]!, base + fields[index + VALUE_END]!);
}

/** Milliseconds; -1 where it has none, or none that can be read. */
export function grpcTimeoutOf(head: MessageHead): number {
  const field = fieldNamed(head, FIELD_ID.OTHER, GRPC_TIMEOUT);
  if (field === -1) return -1;
  const index = field * FIELD_STRIDE;
  const { bytes, base, fields } = head;
  return readGrpcTimeout(bytes, base + fields[index + VALUE_START]!, base + fields[index + VALUE_END]!);
}

/** The value of `grpc-status` of a head or a trailer section; -1 where it has none, or none that can be read. */
export function grpcStatusOf(head: MessageHead): number {
  const field = fieldNamed(head, FIELD_ID.OTHER, GRPC_STATUS);
  if (field === -1) return -1;
  const index = field * FIELD_STRIDE;
  const { bytes, base, fields } = head;
  const end = base + fields[index + VALUE_END]!;
  let value = 0;
  let at = base + fields[index + VALUE_START]!;
  if (at === end || end - at > 3) return -1;
  for (; at < end; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
