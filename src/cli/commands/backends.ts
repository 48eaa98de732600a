import type { Command } from 'commander';
import { describeCommand, type Run } from '../command.ts';
import { showList } from '../listing.ts';
import { BACKENDS } from '../listings.ts';

export function backends(run: Run): Command {
  return describeCommand('backends', 'List backends with how many of their endpoints are healthy.', [
    ['novactl backends', 'those of namespace default'],
    ['novactl backends -o wide', 'with timeouts and limits'],
  ])
    .alias('backend')
    .action((_options, command: Command) => run(command, (session) => showList(session, BACKENDS)));
}
