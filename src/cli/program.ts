import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Run } from './command.ts';
import { actors } from './commands/actors.ts';
import { backends } from './commands/backends.ts';
import { explain } from './commands/explain.ts';
import { gateways } from './commands/gateways.ts';
import { get } from './commands/get.ts';
import { nodes } from './commands/nodes.ts';
import { problems } from './commands/problems.ts';
import { replay } from './commands/replay.ts';
import { routes } from './commands/routes.ts';
import { stats } from './commands/stats.ts';
import { topology } from './commands/topology.ts';
import { validate } from './commands/validate.ts';
import { vip } from './commands/vip.ts';
import { CommandFailure, EXIT, type ExitCode } from './failure.ts';
import {
  DEFAULT_ADMIN,
  type GlobalOptions,
  OUTPUTS,
  openSession,
  type Session,
  type Terminal,
} from './session.ts';
import { visible } from './width.ts';

/** Runs novactl with the arguments as typed, without the program's name; gives the exit code. */
export async function runNovactl(
  args: readonly string[],
  version: string,
  terminal: Terminal,
): Promise<ExitCode> {
  const program = buildProgram(version, terminal);
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CommandFailure)) throw error;
    if (error.message !== '') terminal.stderr.write(`novactl: ${visible(error.message)}\n`);
    return error.exitCode;
  }
}

export function buildProgram(version: string, terminal: Terminal): Command {
  const program = new Command('novactl')
    .description('Look at a running NovaEdge: what is configured, what serves, and what is not right.')
    .version(version, '--version')
    .addOption(
      new Option('--admin <host:port>', `admin server to ask; or NOVAEDGE_ADMIN (default ${DEFAULT_ADMIN})`),
    )
    .addOption(new Option('-o, --output <format>', 'how to print').choices(OUTPUTS).default('table'))
    .option('-n, --namespace <name>', 'objects of this namespace (lists: default)')
    .option('-A, --all-namespaces', 'objects of all namespaces')
    .option('--timeout <seconds>', 'how long to wait for the admin server (default 5)', seconds)
    .option('--no-color', 'no colours; so does NO_COLOR')
    .option('--ascii', 'draw trees with ASCII characters')
    .addHelpText(
      'after',
      `
Examples:
  $ novactl gateways                 # what listens, and whether it is accepted and in use
  $ novactl problems                 # what is wrong, with file and line
  $ novactl topology graph           # how traffic flows, with health
  $ novactl get route api -o yaml    # one object with its conditions
  $ novactl validate deploy/         # check files before they are used

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 3 no admin server reached.`,
    );
  const run: Run = async (command, work) => {
    const session: Session = openSession(command.optsWithGlobals<GlobalOptions>(), terminal);
    try {
      await work(session);
    } finally {
      await session.close();
    }
  };
  const all = [
    gateways,
    routes,
    backends,
    vip,
    nodes,
    actors,
    stats,
    get,
    validate,
    topology,
    problems,
    replay,
    explain,
  ];
  for (const build of all) program.addCommand(build(run));
  adopt(program, terminal);
  return program;
}

/** Settings that commander hands down only to commands that it creates itself. */
function adopt(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showHelpAfterError('(--help shows what can be typed)')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text.replace(/^error: /, 'novactl: ')),
    });
  for (const child of command.commands) adopt(child, terminal);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600))
    throw new InvalidArgumentError('It is not a number of seconds from 0 to 600.');
  return value;
}
