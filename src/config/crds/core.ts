import Type, { type Static } from 'typebox';
import { openMetadata } from './metadata.ts';
import { port, stringMap } from './schema.ts';

/** The parts of core kinds that are used; an API server knows more fields, so unknown ones are let through. */

export const service = Type.Object({
  apiVersion: Type.Enum(['v1']),
  kind: Type.Enum(['Service']),
  metadata: openMetadata,
  spec: Type.Object({
    type: Type.Optional(Type.String()),
    ports: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.Optional(Type.String()),
          port: port('Port of the Service.'),
          protocol: Type.Optional(Type.Enum(['TCP', 'UDP', 'SCTP'])),
          appProtocol: Type.Optional(Type.String()),
        }),
      ),
    ),
  }),
});

export const endpointSlice = Type.Object({
  apiVersion: Type.Enum(['discovery.k8s.io/v1']),
  kind: Type.Enum(['EndpointSlice']),
  metadata: openMetadata,
  addressType: Type.Enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: Type.Optional(
    Type.Array(
      Type.Object({
        addresses: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
        conditions: Type.Optional(Type.Object({ ready: Type.Optional(Type.Boolean()) })),
        nodeName: Type.Optional(Type.String()),
        zone: Type.Optional(Type.String()),
      }),
    ),
  ),
  ports: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.Optional(Type.String()),
        port: Type.Optional(port('Port of the endpoints.')),
        protocol: Type.Optional(Type.Enum(['TCP', 'UDP', 'SCTP'])),
      }),
    ),
  ),
});

export const secret = Type.Object({
  apiVersion: Type.Enum(['v1']),
  kind: Type.Enum(['Secret']),
  metadata: openMetadata,
  type: Type.Optional(Type.String()),
  data: Type.Optional(stringMap(Type.String(), 'Base64.')),
  stringData: Type.Optional(stringMap(Type.String(), 'Text.')),
});

export type ServiceManifest = Static<typeof service>;
export type EndpointSliceManifest = Static<typeof endpointSlice>;
export type SecretManifest = Static<typeof secret>;
