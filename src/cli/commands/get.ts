import type { Command } from 'commander';
import { describeCommand, type Run } from '../command.ts';
import { kindOf } from '../kinds.ts';
import { showList, showOne } from '../listing.ts';
import { withListing } from '../listings.ts';

export function get(run: Run): Command {
  return describeCommand('get', 'Show objects of a kind, or one of them, with conditions.', [
    ['novactl get route api -o yaml', 'one object whole'],
    ['novactl get proxyroutes -A', 'all of a kind'],
    ['novactl get backend shop/cart -o json', 'one of another namespace'],
  ])
    .argument('<kind>', 'gateway, route, backend, policy, vip, service, endpointslice (any kubectl spelling)')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .action((spelling: string, name: string | undefined, _options, command: Command) =>
      run(command, (session) =>
        withListing(kindOf(spelling), (listing) =>
          name === undefined ? showList(session, listing) : showOne(session, listing, name),
        ),
      ),
    );
}
