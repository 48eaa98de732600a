import type { BackendRefSpec } from '../crds/backend-ref.ts';
import type { FieldPath } from '../parse/field-path.ts';
import type { Report } from './issue.ts';

/** A route's reference to a backend. `own` is the namespace of the route. */
export function backendRefRules(backend: BackendRefSpec, own: string, path: FieldPath, report: Report): void {
  sameNamespace(backend.namespace, own, [...path, 'namespace'], report);
  if (backend.kind === 'Service' && backend.port === undefined) {
    report([...path, 'port'], 'MissingField', 'must be given for kind Service');
  }
  if (backend.kind === 'ProxyBackend' && backend.port !== undefined) {
    report([...path, 'port'], 'InvalidValue', 'a ProxyBackend names its port itself', backend.port);
  }
}

/** References into other namespaces need a permission that cannot be given yet. */
export function sameNamespace(
  namespace: string | undefined,
  own: string,
  path: FieldPath,
  report: Report,
): void {
  if (namespace === undefined || namespace === own) return;
  report(
    path,
    'RefNotPermitted',
    `references into another namespace are not permitted ("${namespace}" from "${own}"); ReferenceGrant is not supported yet`,
    namespace,
  );
}
