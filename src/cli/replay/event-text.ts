import type { ActorEvent } from '../../../supervisors/behavior.ts';
import { count } from '../print.ts';
import { visible } from '../width.ts';
import { shownAddress } from './subject.ts';

const EVENT_TEXT = 96;
const DETAIL_TEXT = 1_000;

/**
 * `endpoint.failing 10.0.0.1:80 connect_refused failures=3`: the type and what is short enough of its fields. Of the
 * objects that it names first the one that is asked for.
 */
export function eventText(event: ActorEvent, key: string): string {
  const { type, keys, ...fields } = event as unknown as Readonly<Record<string, unknown>>;
  const parts = [
    ...(Array.isArray(keys) ? keysText(keys.map(String), fields, key) : []),
    ...Object.entries(fields).flatMap(([name, value]) =>
      SUPERSEDED.some(([by, what]) => what === name && Boolean(fields[by])) ? [] : fieldText(name, value),
    ),
  ];
  const text = [type, ...parts].join(' ');
  return text.length > EVENT_TEXT ? `${text.slice(0, EVENT_TEXT - 1)}…` : text;
}

function keysText(keys: readonly string[], fields: Readonly<Record<string, unknown>>, key: string): string[] {
  const [first] = keys.includes(key) ? [key] : keys;
  if (first === undefined) return [];
  const more = Number(fields.upserts) + Number(fields.removals) - 1;
  return [more > 0 ? `${first} +${count(more)}` : first];
}

/** What explains nothing. */
const SILENT: ReadonlySet<string> = new Set([
  ...['at', 'draw', 'base', 'bytes', 'parent', 'kind', 'input', 'cluster'],
  ...['upserts', 'removals', 'load', 'rollout'],
]);

/** Where the first is there, the second says nothing more. */
const SUPERSEDED = [
  ['message', 'reason'],
  ['message', 'code'],
  ['nonce', 'version'],
] as const;

function fieldText(name: string, value: unknown): string[] {
  if (SILENT.has(name) || value === '') return [];
  if (name === 'version' && typeof value === 'string') return [value.slice(0, 12)];
  if (name === 'child' || name === 'timer') return [shortTimer(String(value))];
  if (name === 'outcome' && value === 'abnormal') return [];
  if (name === 'doing') return [`(at: ${value})`];
  if (typeof value === 'string') return [value.length > 60 ? `${value.slice(0, 59)}…` : value];
  if (typeof value === 'number' || value === true) return [`${name}=${value}`];
  if (!Array.isArray(value) || value.length === 0) return [];
  const [first] = value as readonly {
    readonly key?: unknown;
    readonly reason?: unknown;
    readonly child?: unknown;
  }[];
  if (first?.key !== undefined) return [`${first.key} ${String(first.reason)}${more(value)}`];
  return first?.child === undefined ? [] : [`${shownAddress(String(first.child))}${more(value)}`];
}

/** `restart:dataplane-0/listener/default/web/http`: of addresses the node is left out. */
function shortTimer(text: string): string {
  const [, timer = '', address] = /^(\w+:)?([^/:]+\/(?:main|dataplane-\d+)\/.*)$/.exec(text) ?? [];
  return address === undefined ? text : `${timer}${shownAddress(address)}`;
}

function more(list: readonly unknown[]): string {
  return list.length > 1 ? ` +${list.length - 1}` : '';
}

/** All that an event says, for who asks for this one: lists and objects as JSON. */
export function eventDetails(event: ActorEvent): (readonly [name: string, text: string])[] {
  return Object.entries(event).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'type' || name === 'draw' || value === '' || value === undefined) return [];
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [
      [name, visible(text.length > DETAIL_TEXT ? `${text.slice(0, DETAIL_TEXT - 1)}…` : text)] as const,
    ];
  });
}
