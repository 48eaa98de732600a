import type { Problem } from '../model/object.ts';
import { objectText } from '../model/object.ts';

/** `routes.yaml:12: ProxyRoute default/api: spec.rules[0].path: "x": message (Reason)` */
export function formatProblem(problem: Problem): string {
  const parts = [
    problem.file === '' ? '' : problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file,
    problem.object === null ? '' : objectText(problem.object),
    problem.field === '' ? '' : problem.value === '' ? problem.field : `${problem.field} = ${problem.value}`,
    problem.message,
  ].filter((part) => part !== '');
  const kept = problem.lastGoodServes ? '; the last good version serves on' : '';
  return `${parts.join(': ')} (${problem.reason}${kept})`;
}
