import { objectText, type Problem } from '../model/object.ts';

/**
 * A problem in one line:
 * `path/routes.yaml:14: ProxyRoute default/api: spec.rules[0].backendRef.name: there is no … (BackendNotFound)`.
 */
export function formatProblem(problem: Problem): string {
  const { file, line, object, field, reason, message, lastGoodServes } = problem;
  const parts: string[] = [];
  if (file !== '') parts.push(line > 0 ? `${file}:${line}` : file);
  if (object !== null) parts.push(objectText(object));
  if (field !== '') parts.push(field);
  const tail = lastGoodServes ? '; the last good version serves on' : '';
  return `${[...parts, message].join(': ')} (${reason})${tail}`;
}
