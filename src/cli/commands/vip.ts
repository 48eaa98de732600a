import { Command } from 'commander';
import type { ActorReport } from '../../model/actor.ts';
import { describeCommand, type Run } from '../command.ts';
import { firstWrong, wrongText } from '../conditions.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { showList } from '../listing.ts';
import { VIPS } from '../listings.ts';
import { or, textAt } from '../manifest.ts';
import { printStructured, printTable, shortList } from '../print.ts';
import { listNamespace, type Session } from '../session.ts';

export function vip(run: Run): Command {
  const list = describeCommand('list', 'List virtual IP addresses with mode, ports and conditions.', [
    ['novactl vip list -A', 'of all namespaces'],
    ['novactl vip list -o wide', 'with node selector and health policy'],
  ]).action((_options, command: Command) => run(command, (session) => showList(session, VIPS)));
  const status = describeCommand('status', 'Show which node holds each virtual IP address, and why.', [
    ['novactl vip status', 'those of namespace default'],
    ['novactl vip status -A -o json', 'of all namespaces, for a script'],
  ]).action((_options, command: Command) => run(command, showStatus));
  return new Command('vip')
    .description('Show virtual IP addresses.')
    .configureHelp({ showGlobalOptions: true })
    .addCommand(list)
    .addCommand(status);
}

interface VipStatus {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly mode: string;
  readonly gateways: readonly string[];
  /** What the VIP's actor on each node says; empty where no node runs one. */
  readonly nodes: readonly { readonly node: string; readonly state: string; readonly reason: string }[];
  readonly reason: string;
}

async function showStatus(session: Session): Promise<void> {
  const [vips, gatewayObjects, { nodes }] = await Promise.all([
    session.client.get('objects', { kind: 'ProxyVIP' }),
    session.client.get('objects', { kind: 'ProxyGateway' }),
    session.client.get('actors'),
  ]);
  if (!vips.held) {
    throw new CommandFailure(
      EXIT.failure,
      'this is an agent, which holds no VIP objects: ask its controller',
    );
  }
  const wanted = listNamespace(session);
  const statuses = vips.objects
    .filter(({ object }) => wanted === null || object.namespace === wanted || object.namespace === '')
    .map((view): VipStatus => {
      const { namespace, name } = view.object;
      return {
        namespace,
        name,
        address: textAt(view.manifest, 'spec', 'address'),
        mode: textAt(view.manifest, 'spec', 'mode'),
        gateways: gatewayObjects.objects
          .filter(
            ({ object, manifest }) =>
              object.namespace === namespace && textAt(manifest, 'spec', 'vipRef') === name,
          )
          .map(({ object }) => object.name),
        nodes: nodes.flatMap(({ node, actors }) =>
          actors
            .filter((actor) => isVipActor(actor, namespace, name))
            .map(({ state, reason }) => ({ node, state, reason })),
        ),
        reason: firstWrong(view) === undefined ? '' : wrongText(view),
      };
    });
  if (printStructured(session, { kind: 'List', items: statuses })) return;
  if (statuses.length === 0) {
    session.note(wanted === null ? 'No VIPs.' : `No VIPs in namespace ${wanted}.`);
    return;
  }
  const titles = ['NAME', 'ADDRESS', 'MODE', 'GATEWAYS', 'NODE', 'STATE'];
  printTable(
    session,
    [
      ...[...(wanted === null ? ['NAMESPACE'] : []), ...titles].map((title) => ({ title })),
      { title: 'REASON', prose: true },
    ],
    statuses.flatMap((status) => {
      const start = [
        ...(wanted === null ? [status.namespace] : []),
        status.name,
        or(status.address, '-'),
        or(status.mode, '-'),
        shortList(status.gateways, 3),
      ];
      if (status.nodes.length === 0) {
        return [[...start, '-', { text: 'not announced', tone: 'warn' as const }, status.reason]];
      }
      return status.nodes.map(({ node, state, reason }) => [
        ...start,
        node,
        state,
        or(status.reason, reason),
      ]);
    }),
  );
}

/** `node/thread/vip/namespace/name` */
function isVipActor(actor: ActorReport, namespace: string, name: string): boolean {
  const [, , kind, ...rest] = actor.address.split('/');
  return kind === 'vip' && rest.join('/') === (namespace === '' ? name : `${namespace}/${name}`);
}
