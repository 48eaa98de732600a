import { label, object, objectName, oneOf, optional, port, type Static } from './schema.ts';

/** How a route names a backend. */
export const backendRefFields = {
  name: objectName('Name of the backend.'),
  namespace: optional(label('Namespace of the backend; only the namespace of the route is permitted.')),
  kind: oneOf(['ProxyBackend', 'Service'], { description: 'Kind of the backend.', default: 'ProxyBackend' }),
  port: optional(port('Port of the Service; for a ProxyBackend it must be left out.')),
};

export const backendRef = (description: string) => object(backendRefFields, { description });

export type BackendRefSpec = Static<ReturnType<typeof backendRef>>;
