import type { PathChange } from '../../model/filter.ts';
import type { PathMatch } from '../../model/route.ts';

const PATH = /^\/[\x21-\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*$/;

export function pathChangeFault(change: PathChange): string | null {
  if (change.value === '' && change.type === 'ReplacePrefixMatch') return null;
  return PATH.test(change.value) ? null : `path "${change.value}" is not an absolute path without query`;
}

/**
 * The path after a change (Gateway API, HTTPPathModifier). A prefix is replaced by whole segments: `/foo` → `/xyz`
 * makes `/foo/bar` `/xyz/bar`, and `/foo` → `/` makes it `/bar`. An exact match is its own prefix; a regular
 * expression has none, so its path stays.
 */
export function changePath(path: string, change: PathChange, match: PathMatch): string {
  if (change.type === 'ReplaceFullPath') return change.value;
  if (match.type === 'RegularExpression') return path;
  const prefix = trimSlash(match.value);
  const rest = path.slice(prefix.length);
  const replaced = trimSlash(change.value) + rest;
  return replaced.startsWith('/') ? replaced : `/${replaced}`;
}

function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
