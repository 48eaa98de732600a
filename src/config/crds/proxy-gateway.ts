import { clientAddress, httpSettings } from './http-settings.ts';
import {
  type CustomKind,
  hostname,
  label,
  listOf,
  object,
  objectName,
  oneOf,
  optional,
  port,
  type Static,
  text,
} from './schema.ts';
import { listenerTls } from './tls.ts';

export const LISTENER_PROTOCOLS = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'] as const;

const listener = object({
  name: label('Name of the listener, unique within the gateway.'),
  port: port('Port that is listened on, on every node.'),
  protocol: oneOf(LISTENER_PROTOCOLS, {
    description:
      'What is spoken on the port. `HTTP` and `HTTPS` run; the others are refused as not supported yet.',
    default: 'HTTP',
  }),
  tls: optional(listenerTls),
  hostnames: optional(
    listOf(
      hostname('`app.example.com` or `*.example.com`.'),
      'Hosts that the listener takes; without it every host.',
      { maxItems: 64, uniqueItems: true },
    ),
  ),
  http: httpSettings,
  clientAddress,
});

export const proxyGatewaySpec = object({
  vipRef: optional(objectName('Name of the ProxyVIP in the same namespace that the gateway is reached at.')),
  ingressClassName: text('Class of the Ingress objects that this gateway serves.', {
    default: 'novaedge',
    minLength: 1,
    maxLength: 253,
  }),
  listeners: listOf(listener, 'Ports that are listened on.', { minItems: 1, maxItems: 64 }),
});

export type ProxyGatewaySpec = Static<typeof proxyGatewaySpec>;
export type ListenerSpec = ProxyGatewaySpec['listeners'][number];

export const proxyGateway: CustomKind<typeof proxyGatewaySpec> = {
  kind: 'ProxyGateway',
  singular: 'proxygateway',
  plural: 'proxygateways',
  shortNames: ['pgw'],
  summary: 'Listeners: ports, protocols, TLS and host names behind one VIP.',
  sample: `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata:
  name: external-gateway
spec:
  vipRef: public-vip
  ingressClassName: novaedge
  listeners:
    - name: http
      port: 80
      protocol: HTTP
      hostnames:
        - example.com
        - "*.example.com"
    - name: https
      port: 443
      protocol: HTTPS
      tls:
        secretRef:
          name: tls-cert
      hostnames:
        - example.com
        - "*.example.com"
`,
  columns: [
    { name: 'VIP', type: 'string', jsonPath: '.spec.vipRef' },
    { name: 'Ports', type: 'string', jsonPath: '.spec.listeners[*].port' },
  ],
  spec: proxyGatewaySpec,
};
