import { Command } from 'commander';
import type { Session } from './session.ts';

/** Opens the session of a command, runs it and closes it. */
export type Run = (command: Command, work: (session: Session) => Promise<void>) => Promise<void>;

/** A command with its help; `examples` are pairs of what to type and what it does. */
export function describeCommand(
  name: string,
  description: string,
  examples: readonly (readonly [string, string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  $ ${line.padEnd(width)}  # ${what}`);
  return new Command(name)
    .description(description)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
