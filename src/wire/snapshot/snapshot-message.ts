import protobuf from 'protobufjs';
import type { Resource, ResourceKind } from '../../model/resource.ts';
import type { SnapshotVersion } from '../../model/snapshot.ts';
import { decodeResource, encodeResource, ResourceError } from './resource.ts';

/*
 * The ConfigSnapshot message around resources whose bytes are known already, so that nothing is encoded twice:
 *
 *     1 version        text
 *     2 gateways       repeated Gateway         6 vip_assignments  repeated VipAssignment
 *     3 routes         repeated Route           7 listeners        repeated Listener
 *     4 clusters       repeated Cluster         8 policies         repeated Policy
 *     9 certificates   repeated Certificate
 *     5 endpoints      map entry { 1 cluster, 2 EndpointList { 1 repeated Endpoint } }
 */
const VERSION = 1;
const ENDPOINTS = 5;
const FIELDS: Readonly<Record<Exclude<ResourceKind, 'endpoint'>, number>> = {
  gateway: 2,
  route: 3,
  cluster: 4,
  vip: 6,
  listener: 7,
  policy: 8,
  certificate: 9,
};
const KINDS = new Map(
  Object.entries(FIELDS).map(([kind, field]) => [field, kind as keyof typeof FIELDS] as const),
);

const LENGTH_DELIMITED = 2;

/** Tag of a length-delimited field. */
export function tag(field: number): number {
  return (field << 3) | LENGTH_DELIMITED;
}

/** Appends the fields of a ConfigSnapshot; endpoints of one cluster should stand together. */
export function writeSnapshot(
  writer: protobuf.Writer,
  version: SnapshotVersion,
  resources: readonly Resource[],
): void {
  if (version !== '') writer.uint32(tag(VERSION)).string(version);
  for (let index = 0; index < resources.length; ) {
    const resource = resources[index]!;
    if (resource.kind !== 'endpoint') {
      writer.uint32(tag(FIELDS[resource.kind])).bytes(encodeResource(resource));
      index += 1;
      continue;
    }
    const cluster = resource.value.cluster;
    writer.uint32(tag(ENDPOINTS)).fork().uint32(tag(1)).string(cluster).uint32(tag(2)).fork();
    for (; index < resources.length; index += 1) {
      const endpoint = resources[index]!;
      if (endpoint.kind !== 'endpoint' || endpoint.value.cluster !== cluster) break;
      writer.uint32(tag(1)).bytes(encodeResource(endpoint));
    }
    writer.ldelim().ldelim();
  }
}

/**
 * Reads a ConfigSnapshot that ends at `end`.
 * @throws ResourceError, or Error where the frame around the resources is malformed or not known.
 */
export function readSnapshot(
  reader: protobuf.Reader,
  end: number,
  take: (resource: Resource) => void,
): SnapshotVersion {
  let version = '';
  while (reader.pos < end) {
    const field = readTag(reader, 'ConfigSnapshot');
    const kind = KINDS.get(field);
    if (kind !== undefined) take(decodeResource(kind, reader.bytes(), ''));
    else if (field === ENDPOINTS) readEndpoints(reader, take);
    else if (field === VERSION) version = reader.string();
    else throw new Error(`ConfigSnapshot: field ${field} is not known to this version`);
  }
  if (reader.pos !== end) throw new Error('ConfigSnapshot: a part reaches past its end');
  return version;
}

function readEndpoints(reader: protobuf.Reader, take: (resource: Resource) => void): void {
  const end = reader.uint32() + reader.pos;
  let cluster = '';
  while (reader.pos < end) {
    const field = readTag(reader, 'ConfigSnapshot.endpoints');
    if (field === 1) {
      cluster = reader.string();
    } else if (field === 2) {
      const listEnd = reader.uint32() + reader.pos;
      while (reader.pos < listEnd) {
        if (readTag(reader, 'EndpointList') !== 1) throw new Error('EndpointList: a field is not known');
        take(decodeResource('endpoint', reader.bytes(), cluster));
      }
    } else {
      throw new ResourceError(
        `endpoint/${cluster}`,
        `field ${field} of the map is not known to this version`,
      );
    }
  }
  if (reader.pos !== end) throw new Error('ConfigSnapshot.endpoints: a part reaches past its end');
}

/** Field number of a length-delimited field. */
export function readTag(reader: protobuf.Reader, message: string): number {
  const value = reader.uint32();
  if ((value & 7) !== LENGTH_DELIMITED) throw new Error(`${message}: field ${value >>> 3} has a wrong type`);
  return value >>> 3;
}

/** Resources in one piece of a snapshot that is encoded piece by piece. */
const PIECE = 512;

/**
 * The whole snapshot as one ConfigSnapshot message, as it is kept on disk, in pieces that take a few milliseconds
 * each. Same resources, same bytes.
 * @param keys of all resources, sorted.
 */
export function* snapshotPieces(
  resources: ReadonlyMap<string, Resource>,
  keys: readonly string[],
  version: SnapshotVersion,
): Generator<Uint8Array, void> {
  const piece = (from: number, to: number): Uint8Array => {
    const writer = protobuf.Writer.create();
    const values = keys.slice(from, to).map((key) => resources.get(key)!);
    writeSnapshot(writer, from === 0 ? version : '', values);
    return writer.finish();
  };
  let from = 0;
  do {
    let to = Math.min(keys.length, from + PIECE);
    // Endpoints of one cluster are one entry of a map.
    const cluster = to < keys.length ? clusterOf(resources.get(keys[to - 1]!)!) : undefined;
    while (cluster !== undefined && to < keys.length && clusterOf(resources.get(keys[to]!)!) === cluster)
      to += 1;
    yield piece(from, to);
    from = to;
  } while (from < keys.length);
}

function clusterOf(resource: Resource): string | undefined {
  return resource.kind === 'endpoint' ? resource.value.cluster : undefined;
}

/** All pieces at once. */
export function encodeSnapshot(
  resources: ReadonlyMap<string, Resource>,
  version: SnapshotVersion,
): Uint8Array {
  return Buffer.concat([...snapshotPieces(resources, [...resources.keys()].sort(), version)]);
}

/** @throws ResourceError or Error; never gives a part of a snapshot. */
export function decodeSnapshot(bytes: Uint8Array): { version: SnapshotVersion; resources: Resource[] } {
  const resources: Resource[] = [];
  const reader = protobuf.Reader.create(bytes);
  const version = readSnapshot(reader, bytes.length, (resource) => resources.push(resource));
  return { version, resources };
}
