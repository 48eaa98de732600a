import { sameItems } from '../memo.ts';
import { SERVICE_NAME_LABEL } from '../validate/core-rules.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import type { ObjectSet } from './finding.ts';

export type SliceGroups = ReadonlyMap<string, readonly TypedObject<'EndpointSlice'>[]>;

/** EndpointSlices by the `namespace/name` of their Service, in the order of their names. */
export function groupSlices(slices: ObjectSet['EndpointSlice'], before: SliceGroups): SliceGroups {
  const groups = new Map<string, TypedObject<'EndpointSlice'>[]>();
  for (const slice of slices.values()) {
    const service = slice.labels[SERVICE_NAME_LABEL];
    if (service === undefined) continue;
    const name = fullName(slice.ref.namespace, service);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [slice]);
    else group.push(slice);
  }
  const kept = new Map<string, readonly TypedObject<'EndpointSlice'>[]>();
  for (const [name, group] of groups) {
    group.sort((a, b) => (a.name < b.name ? -1 : 1));
    const last = before.get(name);
    kept.set(name, last !== undefined && sameItems(last, group) ? last : group);
  }
  return kept;
}

/** Names of the Services that have slices; the same set as long as it has the same names. */
export function servicesWithSlices(groups: SliceGroups, before: ReadonlySet<string>): ReadonlySet<string> {
  if (groups.size === before.size && [...groups.keys()].every((name) => before.has(name))) return before;
  return new Set(groups.keys());
}

export interface ServicePort {
  /** Slices name the port so; the empty string is the only port of a Service. */
  readonly name: string;
  readonly port: number;
  /** What is spoken there, as the Service says; or empty. */
  readonly appProtocol: string;
}

/** The TCP port of a Service, by number or name. */
export function findServicePort(
  service: TypedObject<'Service'>,
  wanted: number | string,
): ServicePort | null {
  for (const port of service.content.spec.ports ?? []) {
    if ((port.protocol ?? 'TCP') !== 'TCP') continue;
    if (port.port === wanted || port.name === wanted)
      return { name: port.name ?? '', port: port.port, appProtocol: port.appProtocol ?? '' };
  }
  return null;
}
