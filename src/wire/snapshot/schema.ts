import { fileURLToPath } from 'node:url';
import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import type { AgentMessage, AgentMessageDecoded } from './generated/novaedge/v1/AgentMessage.ts';
import type { Certificate, CertificateDecoded } from './generated/novaedge/v1/Certificate.ts';
import type { Cluster, ClusterDecoded } from './generated/novaedge/v1/Cluster.ts';
import type { Endpoint, EndpointDecoded } from './generated/novaedge/v1/Endpoint.ts';
import type { Gateway, GatewayDecoded } from './generated/novaedge/v1/Gateway.ts';
import type { Listener, ListenerDecoded } from './generated/novaedge/v1/Listener.ts';
import type { Policy, PolicyDecoded } from './generated/novaedge/v1/Policy.ts';
import type { Route, RouteDecoded } from './generated/novaedge/v1/Route.ts';
import type { VipAssignment, VipAssignmentDecoded } from './generated/novaedge/v1/VipAssignment.ts';

/** Every field may be left out or undefined, which on the wire is its default. */
export type Sparse<T> = T extends readonly (infer Element)[]
  ? readonly Sparse<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Sparse<T[Key]> | undefined }
    : T;

/** A protobuf message type: `encode` writes only fields that are set, `decode` throws on malformed bytes. */
export interface MessageType<Encoded, Decoded> {
  encode(message: Sparse<Encoded>): protobuf.Writer;
  decode(bytes: Uint8Array): Decoded;
}

/** `proto/novaedge.proto`, parsed once a thread. */
export const schema: protobuf.Root = protobuf.loadSync(
  fileURLToPath(new URL('../../../proto/novaedge.proto', import.meta.url)),
);

function lookup<Encoded, Decoded>(name: string): MessageType<Encoded, Decoded> {
  return schema.lookupType(`novaedge.v1.${name}`) as unknown as MessageType<Encoded, Decoded>;
}

export const messageTypes = {
  agentMessage: lookup<AgentMessage, AgentMessageDecoded>('AgentMessage'),
  gateway: lookup<Gateway, GatewayDecoded>('Gateway'),
  listener: lookup<Listener, ListenerDecoded>('Listener'),
  route: lookup<Route, RouteDecoded>('Route'),
  cluster: lookup<Cluster, ClusterDecoded>('Cluster'),
  endpoint: lookup<Endpoint, EndpointDecoded>('Endpoint'),
  policy: lookup<Policy, PolicyDecoded>('Policy'),
  vip: lookup<VipAssignment, VipAssignmentDecoded>('VipAssignment'),
  certificate: lookup<Certificate, CertificateDecoded>('Certificate'),
};

/** The ConfigStream service as gRPC describes it. */
export const configStreamService = fromJSON(schema.toJSON())[
  'novaedge.v1.ConfigStream'
] as unknown as ServiceDefinition;
