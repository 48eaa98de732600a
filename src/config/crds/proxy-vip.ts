import {
  type CustomKind,
  integer,
  listOf,
  MEANS,
  object,
  oneOf,
  optional,
  port,
  type Static,
  stringMap,
  text,
} from './schema.ts';

export const proxyVipSpec = object({
  address: text('The virtual address as CIDR, usually /32 or /128.', {
    [MEANS]: 'a CIDR such as 203.0.113.10/32 or 2001:db8::10/128',
  }),
  mode: oneOf(['L2ARP', 'BGP', 'OSPF'], {
    description:
      '`L2ARP`: one node owns the address and answers ARP and NDP for it. `BGP`, `OSPF`: every healthy node announces it.',
  }),
  ports: optional(
    listOf(port('Port.'), 'Ports that are reached at the address.', { maxItems: 64, uniqueItems: true }),
  ),
  nodeSelector: optional(
    object(
      { matchLabels: optional(stringMap(text('Value.'), 'Labels a node must have, all of them.')) },
      { description: 'Nodes that are candidates; without it every node.' },
    ),
  ),
  healthPolicy: object(
    {
      minHealthyNodes: integer('With fewer healthy candidates the address is not announced.', {
        minimum: 0,
        maximum: 10_000,
        default: 1,
      }),
    },
    { description: 'When the address may be announced.', default: { minHealthyNodes: 1 } },
  ),
});

export type ProxyVipSpec = Static<typeof proxyVipSpec>;

export const proxyVip: CustomKind<typeof proxyVipSpec> = {
  kind: 'ProxyVIP',
  singular: 'proxyvip',
  plural: 'proxyvips',
  shortNames: ['pvip'],
  summary: 'A virtual address, how it is announced and which nodes are candidates for it.',
  sample: `apiVersion: novaedge.io/v1alpha1
kind: ProxyVIP
metadata:
  name: public-vip
spec:
  address: 203.0.113.10/32
  mode: BGP
  ports:
    - 80
    - 443
  nodeSelector:
    matchLabels:
      novaedge-role: edge
  healthPolicy:
    minHealthyNodes: 2
`,
  columns: [
    { name: 'Address', type: 'string', jsonPath: '.spec.address' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
  ],
  spec: proxyVipSpec,
};
