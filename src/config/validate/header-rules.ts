import type { HeaderChangesSpec } from '../crds/header-changes.ts';
import { HEADER_NAME } from '../crds/schema.ts';
import type { FieldPath } from '../parse/field-path.ts';
import type { Report } from './issue.ts';

/** Headers that say how a message is framed, or concern one connection only: the proxy writes them itself. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const NAME = new RegExp(HEADER_NAME);

export function headerNameRules(name: string, path: FieldPath, report: Report): void {
  if (!NAME.test(name) || name.length > 256) {
    report(
      path,
      'InvalidValue',
      `${JSON.stringify(name)} is not a header name (letters, digits, "-", no blanks and no ":")`,
      name,
    );
  } else if (OWN_HEADERS.has(name.toLowerCase())) {
    const instead = name.toLowerCase() === 'host' ? '; use a URLRewrite filter with hostname' : '';
    report(path, 'InvalidValue', `the proxy writes the header "${name}" itself${instead}`, name);
  }
}

export function headerChangesRules(changes: HeaderChangesSpec, path: FieldPath, report: Report): void {
  for (const list of ['set', 'add'] as const) {
    const names = new Set<string>();
    for (const [index, { name }] of (changes[list] ?? []).entries()) {
      headerNameRules(name, [...path, list, index, 'name'], report);
      if (names.has(name.toLowerCase())) {
        report([...path, list, index, 'name'], 'InvalidValue', `"${name}" is named twice`, name);
      }
      names.add(name.toLowerCase());
    }
  }
  for (const [index, name] of (changes.remove ?? []).entries()) {
    headerNameRules(name, [...path, 'remove', index], report);
  }
}
