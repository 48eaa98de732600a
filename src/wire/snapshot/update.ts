import protobuf from 'protobufjs';
import type { Resource, ResourceKey } from '../../model/resource.ts';
import { keyKind, resourceKey } from '../../model/resource.ts';
import type { SnapshotChanges } from '../../model/snapshot.ts';
import { encodeResource, RESOURCE_KINDS, ResourceError } from './resource.ts';
import { readSnapshot, tag, writeSnapshot } from './snapshot-message.ts';

/*
 * Controller to agent. Frames are whole ControllerMessages as bytes, written and read here, because generated code
 * would encode each resource anew and decode a large update on the thread that reads the socket.
 *
 *     ControllerMessage  1 update { 1 nonce  2 base_version  3 version  4 upserts  5 removals  6 last_part }
 *                        2 report_request { }
 */
const UPDATE = 1;
const REPORT_REQUEST = 2;

/** About how many bytes of resources stand in one part. */
export const PART_BYTES = 1024 * 1024;

export const REPORT_REQUEST_FRAME: Uint8Array = Uint8Array.of(tag(REPORT_REQUEST), 0);

export type ControllerFrame =
  | { readonly type: 'update'; readonly nonce: number; readonly lastPart: boolean }
  | { readonly type: 'report.requested' }
  /** Of a newer controller. */
  | { readonly type: 'unknown' };

/**
 * Frames of one update, in the order they have to be sent, each made when it is asked for. Upserts stand in the
 * order of their keys: same changes, same bytes.
 * @throws ResourceError where a resource cannot be encoded.
 */
export function* updateParts(changes: SnapshotChanges, nonce: number): Generator<Uint8Array, void> {
  const sorted = changes.upserts.map((resource) => ({ key: resourceKey(resource), resource }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const removals = [...changes.removals].sort();
  let upsert = 0;
  let removal = 0;
  do {
    let room = PART_BYTES;
    const upserts: Resource[] = [];
    for (; upsert < sorted.length && room > 0; upsert += 1) {
      const resource = sorted[upsert]!.resource;
      room -= encodeResource(resource).length;
      upserts.push(resource);
    }
    const first = removal;
    for (; removal < removals.length && room > 0; removal += 1) room -= removals[removal]!.length;
    const last = upsert === sorted.length && removal === removals.length;
    yield frame(changes, nonce, upserts, removals.slice(first, removal), last);
  } while (upsert < sorted.length || removal < removals.length);
}

/** All frames of one update at once, see `updateParts`. */
export function toUpdateParts(changes: SnapshotChanges, nonce: number): Uint8Array[] {
  return [...updateParts(changes, nonce)];
}

function frame(
  changes: SnapshotChanges,
  nonce: number,
  upserts: readonly Resource[],
  removals: readonly ResourceKey[],
  last: boolean,
): Uint8Array {
  const writer = protobuf.Writer.create().uint32(tag(UPDATE)).fork();
  writer.uint32(1 << 3).uint64(nonce);
  if (changes.base !== '') writer.uint32(tag(2)).string(changes.base);
  writer.uint32(tag(3)).string(changes.version);
  if (upserts.length > 0) {
    writer.uint32(tag(4)).fork();
    writeSnapshot(writer, '', upserts);
    writer.ldelim();
  }
  for (const key of removals) writer.uint32(tag(5)).string(key);
  if (last) writer.uint32(6 << 3).bool(true);
  return writer.ldelim().finish();
}

/**
 * What a frame is, without decoding what it carries.
 * @throws Error where the frame is malformed.
 */
export function peekFrame(bytes: Uint8Array): ControllerFrame {
  const reader = protobuf.Reader.create(bytes);
  const field = reader.uint32() >>> 3;
  if (field === REPORT_REQUEST) return { type: 'report.requested' };
  if (field !== UPDATE) return { type: 'unknown' };
  let nonce = 0;
  let lastPart = false;
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) {
    const value = reader.uint32();
    if (value === 1 << 3) nonce = Number(reader.uint64());
    else if (value === 6 << 3) lastPart = reader.bool();
    else reader.skipType(value & 7);
  }
  return { type: 'update', nonce, lastPart };
}

interface PartHead {
  nonce: number;
  base: string;
  version: string;
  last: boolean;
}

/**
 * Reads all frames of one update. Pure and without ties to a thread: may run in any worker.
 * @throws ResourceError naming the object, or Error; never gives a part of an update.
 */
export function fromUpdateParts(parts: readonly Uint8Array[]): SnapshotChanges {
  const upserts: Resource[] = [];
  const removals: ResourceKey[] = [];
  const seen = new Set<ResourceKey>();
  const once = (key: ResourceKey): void => {
    if (seen.has(key)) throw new ResourceError(key, 'stands twice in one update');
    seen.add(key);
  };
  let head: PartHead | undefined;
  for (const bytes of parts) {
    if (head?.last === true) throw new Error('an update goes on after its last part');
    const part = readPart(
      bytes,
      (resource) => {
        once(resourceKey(resource));
        upserts.push(resource);
      },
      (key) => {
        if (!RESOURCE_KINDS.includes(keyKind(key))) throw new ResourceError(key, 'its kind is not known');
        once(key);
        removals.push(key);
      },
    );
    if (
      head !== undefined &&
      (part.nonce !== head.nonce || part.version !== head.version || part.base !== head.base)
    ) {
      throw new Error(`parts of two updates are mixed (nonce ${head.nonce} and ${part.nonce})`);
    }
    head = part;
  }
  if (head === undefined || !head.last) throw new Error('the last part of the update is missing');
  if (head.version === '') throw new Error('the update names no version');
  return { base: head.base, version: head.version, upserts, removals };
}

function readPart(
  bytes: Uint8Array,
  upsert: (resource: Resource) => void,
  remove: (key: ResourceKey) => void,
): PartHead {
  const reader = protobuf.Reader.create(bytes);
  if (reader.uint32() !== tag(UPDATE)) throw new Error('the frame is not a SnapshotUpdate');
  const end = reader.uint32() + reader.pos;
  if (end !== bytes.length)
    throw new Error('SnapshotUpdate: the frame is cut or holds more than one message');
  const head: PartHead = { nonce: 0, base: '', version: '', last: false };
  while (reader.pos < end) {
    const value = reader.uint32();
    if (value === 1 << 3) head.nonce = Number(reader.uint64());
    else if (value === tag(2)) head.base = reader.string();
    else if (value === tag(3)) head.version = reader.string();
    else if (value === tag(4)) readSnapshot(reader, reader.uint32() + reader.pos, upsert);
    else if (value === tag(5)) remove(reader.string());
    else if (value === 6 << 3) head.last = reader.bool();
    else throw new Error(`SnapshotUpdate: field ${value >>> 3} is not known to this version`);
  }
  return head;
}
