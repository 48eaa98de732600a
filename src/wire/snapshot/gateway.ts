import type { Gateway, Listener } from '../../model/gateway.ts';
import type { VipAssignment } from '../../model/vip.ts';
import type { ResourceCodec } from './codec.ts';
import { count, each, inside, name, oneOf, port, text, texts } from './field.ts';
import type { GatewayDecoded, Gateway as GatewayEncoded } from './generated/novaedge/v1/Gateway.ts';
import type { ListenerDecoded, Listener as ListenerEncoded } from './generated/novaedge/v1/Listener.ts';
import type {
  VipAssignmentDecoded,
  VipAssignment as VipAssignmentEncoded,
} from './generated/novaedge/v1/VipAssignment.ts';
import {
  clientAddressFromMessage,
  clientAddressToMessage,
  httpFromMessage,
  httpToMessage,
} from './http-settings.ts';
import { listenerTlsFromMessage, listenerTlsToMessage } from './tls.ts';

export const gatewayCodec: ResourceCodec<Gateway, GatewayEncoded, GatewayDecoded> = {
  toMessage: (gateway) => ({
    name: name(gateway.name, 'name'),
    ingressClassName: text(gateway.ingressClassName, 'ingressClassName') || undefined,
    vip: text(gateway.vip, 'vip') || undefined,
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    ingressClassName: message.ingressClassName,
    vip: message.vip,
  }),
};

const PROTOCOLS = ['HTTP', 'HTTPS'] as const;

export const listenerCodec: ResourceCodec<Listener, ListenerEncoded, ListenerDecoded> = {
  toMessage: (listener) => ({
    name: name(listener.name, 'name'),
    gateway: name(listener.gateway, 'gateway'),
    port: port(listener.port, 'port'),
    protocol: oneOf(listener.protocol, PROTOCOLS, 'protocol'),
    hostnames: texts(listener.hostnames, 'hostnames'),
    http: inside('http', () => httpToMessage(listener.http)),
    clientAddress: inside('clientAddress', () => clientAddressToMessage(listener.clientAddress)),
    tls: listener.tls === null ? undefined : inside('tls', () => listenerTlsToMessage(listener.tls!)),
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    gateway: name(message.gateway, 'gateway'),
    port: port(message.port, 'port'),
    protocol: oneOf(message.protocol, PROTOCOLS, 'protocol'),
    hostnames: message.hostnames,
    http: inside('http', () => httpFromMessage(message.http)),
    clientAddress: inside('clientAddress', () => clientAddressFromMessage(message.clientAddress)),
    tls: message.tls === null ? null : inside('tls', () => listenerTlsFromMessage(message.tls!)),
  }),
};

const VIP_MODES = ['L2ARP', 'BGP', 'OSPF'] as const;

export const vipCodec: ResourceCodec<VipAssignment, VipAssignmentEncoded, VipAssignmentDecoded> = {
  toMessage: (vip) => ({
    name: name(vip.name, 'name'),
    address: name(vip.address, 'address'),
    mode: oneOf(vip.mode, VIP_MODES, 'mode'),
    ports: each(vip.ports, 'ports', (value) => port(value, 'port')),
    minHealthyNodes: count(vip.minHealthyNodes, 'minHealthyNodes') || undefined,
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    address: name(message.address, 'address'),
    mode: oneOf(message.mode, VIP_MODES, 'mode'),
    ports: each(message.ports, 'ports', (value) => port(value, 'port')),
    minHealthyNodes: message.minHealthyNodes,
  }),
};
