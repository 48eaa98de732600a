import type { Command } from 'commander';
import { describeCommand, type Run } from '../command.ts';
import { showList } from '../listing.ts';
import { GATEWAYS } from '../listings.ts';

export function gateways(run: Run): Command {
  return describeCommand('gateways', 'List gateways with their listeners and conditions.', [
    ['novactl gateways', 'those of namespace default'],
    ['novactl gateways -A -o wide', 'of all namespaces, with hostnames'],
  ])
    .alias('gateway')
    .action((_options, command: Command) => run(command, (session) => showList(session, GATEWAYS)));
}
