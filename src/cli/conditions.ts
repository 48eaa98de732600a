import type { ObjectView } from '../model/configuration.ts';
import type { Condition, ConditionType } from '../model/object.ts';
import type { Cell, Column } from './table.ts';

export const CONDITION_COLUMNS: readonly Column[] = [
  { title: 'ACCEPTED' },
  { title: 'RESOLVED' },
  { title: 'PROGRAMMED' },
];

const TYPES: readonly ConditionType[] = ['Accepted', 'ResolvedRefs', 'Programmed'];

export function conditionCells(view: ObjectView): Cell[] {
  return TYPES.map((type) => {
    const status = view.conditions.find((condition) => condition.type === type)?.status;
    if (status === undefined) return { text: '-', tone: 'dim' };
    return { text: status, tone: status === 'True' ? 'good' : status === 'False' ? 'bad' : 'warn' };
  });
}

/** What is not right, in the order in which one would mend it; undefined where all is well. */
export function firstWrong(view: ObjectView): Condition | undefined {
  return TYPES.map((type) =>
    view.conditions.find((condition) => condition.type === type && condition.status !== 'True'),
  ).find((condition) => condition !== undefined);
}

/** `BackendNotFound: there is no ProxyBackend default/api`; empty where all is well. */
export function wrongText(view: ObjectView): string {
  const refused = view.problems.find(({ severity }) => severity === 'error');
  const condition = firstWrong(view);
  // A part of an object may be refused while the object is accepted: mend that first.
  const wrong = refused !== undefined && condition?.type !== 'Accepted' ? undefined : condition;
  if (wrong !== undefined) return `${wrong.reason}${wrong.message === '' ? '' : `: ${wrong.message}`}`;
  const problem = refused ?? view.problems[0];
  if (problem === undefined) return '';
  const kept = problem.lastGoodServes ? '; the last good version serves on' : '';
  return `${problem.reason}: ${problem.message}${kept}`;
}
