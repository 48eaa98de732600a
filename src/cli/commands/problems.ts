import type { Command } from 'commander';
import { formatProblem } from '../../config/problem-text.ts';
import { objectText, type Problem } from '../../model/object.ts';
import { describeCommand, type Run } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { plural, printStructured } from '../print.ts';
import type { Session } from '../session.ts';
import { visible } from '../width.ts';

export function problems(run: Run): Command {
  return describeCommand(
    'problems',
    'Show what is wrong in the configuration, or is not in use on its nodes, of all namespaces unless -n is given.',
    [
      ['novactl problems', 'each with file, line, field, value and reason'],
      ['novactl problems -o wide', 'one on a line, as validate prints them'],
    ],
  )
    .alias('problem')
    .action((_options, command: Command) => run(command, showProblems));
}

async function showProblems(session: Session): Promise<void> {
  const answer = await session.client.get('problems');
  if (!answer.held) {
    throw new CommandFailure(
      EXIT.failure,
      'this is an agent, which reads no configuration files: ask its controller',
    );
  }
  const shown = answer.problems.filter(
    ({ object }) =>
      session.namespace === undefined || session.allNamespaces || object?.namespace === session.namespace,
  );
  if (printStructured(session, { kind: 'List', items: shown })) return;
  if (shown.length === 0) session.print(`${session.paint('good', 'No problems.')}\n`);
  else if (session.output === 'wide') printLines(session, shown);
  else {
    session.print(shown.map((problem) => `${problemBlock(session, problem)}\n`).join('\n'));
    session.print(`\n${problemSummary(shown)}\n`);
  }
}

/** One line each, as compilers do. */
export function printLines(session: Session, shown: readonly Problem[]): void {
  for (const problem of shown) {
    session.print(`${session.paint(TONES[problem.severity], visible(formatProblem(problem)))}\n`);
  }
}

/** `2 errors, 1 unresolved reference` */
export function problemSummary(shown: readonly Problem[]): string {
  const of = (severity: Problem['severity']): number =>
    shown.filter((one) => one.severity === severity).length;
  const parts = [
    of('error') > 0 ? plural(of('error'), 'error') : '',
    of('unresolved') > 0 ? plural(of('unresolved'), 'unresolved reference') : '',
    of('warning') > 0 ? plural(of('warning'), 'warning') : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const TONES = { error: 'bad', unresolved: 'warn', warning: 'warn' } as const;

/**
 *     error  routes.yaml:12  ProxyRoute default/api
 *            spec.rules[0].matches[0].path.value = "v1"
 *            InvalidPath: must begin with "/"
 *            The last good version serves on.
 */
function problemBlock({ paint }: Session, problem: Problem): string {
  const where =
    problem.file === '' ? '' : `  ${visible(problem.file)}${problem.line > 0 ? `:${problem.line}` : ''}`;
  const object = problem.object === null ? '' : `  ${paint('strong', visible(objectText(problem.object)))}`;
  const indent = ' '.repeat(problem.severity.length + 2);
  const lines = [`${paint(TONES[problem.severity], problem.severity)}${where}${object}`];
  if (problem.field !== '') {
    lines.push(
      `${indent}${visible(problem.field)}${problem.value === '' ? '' : ` = ${visible(problem.value)}`}`,
    );
  }
  lines.push(`${indent}${problem.reason}: ${visible(problem.message)}`);
  if (problem.lastGoodServes) lines.push(paint('dim', `${indent}The last good version serves on.`));
  if (problem.severity === 'unresolved')
    lines.push(paint('dim', `${indent}Heals by itself when the object appears.`));
  return lines.join('\n');
}
