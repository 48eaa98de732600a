import type { Command } from 'commander';
import { describeCommand, type Run } from '../command.ts';
import { showList } from '../listing.ts';
import { ROUTES } from '../listings.ts';

export function routes(run: Run): Command {
  return describeCommand('routes', 'List routes with hosts, paths, backends and conditions.', [
    ['novactl routes -n shop', 'those of namespace shop'],
    ['novactl routes -A -o json', 'of all namespaces, for a script'],
  ])
    .alias('route')
    .action((_options, command: Command) => run(command, (session) => showList(session, ROUTES)));
}
