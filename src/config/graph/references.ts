import type { BackendRefSpec } from '../crds/backend-ref.ts';
import type { FieldPath } from '../parse/field-path.ts';
import type { Issue } from '../validate/issue.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import { type ObjectSet, unresolved } from './finding.ts';
import { findServicePort } from './services.ts';

type Route = TypedObject<'ProxyRoute'>;

interface BackendReference {
  readonly path: FieldPath;
  readonly backend: BackendRefSpec;
}

const referencesOf = new WeakMap<Route, readonly BackendReference[]>();

/** Every reference of a route to a backend, with where it stands. */
export function backendRefs(route: Route): readonly BackendReference[] {
  const known = referencesOf.get(route);
  if (known !== undefined) return known;
  const made: BackendReference[] = [];
  for (const [index, rule] of route.content.spec.rules.entries()) {
    const path = ['spec', 'rules', index];
    if (rule.backendRef !== undefined) made.push({ path: [...path, 'backendRef'], backend: rule.backendRef });
    for (const [position, backend] of (rule.backendRefs ?? []).entries()) {
      made.push({ path: [...path, 'backendRefs', position], backend });
    }
    for (const [position, { requestMirror }] of (rule.filters ?? []).entries()) {
      if (requestMirror === undefined) continue;
      made.push({
        path: [...path, 'filters', position, 'requestMirror', 'backendRef'],
        backend: requestMirror.backendRef,
      });
    }
  }
  referencesOf.set(route, made);
  return made;
}

/** Backends of a route that are not there (yet). */
export function missingBackends(
  route: Route,
  backends: ObjectSet['ProxyBackend'],
  services: ObjectSet['Service'],
  withSlices: ReadonlySet<string>,
): readonly Issue[] {
  const issues: Issue[] = [];
  for (const { path, backend } of backendRefs(route)) {
    const name = fullName(route.ref.namespace, backend.name);
    if (backend.kind === 'ProxyBackend') {
      if (!backends.has(name)) {
        issues.push(
          unresolved(
            [...path, 'name'],
            'BackendNotFound',
            `there is no valid ProxyBackend ${name}`,
            backend.name,
          ),
        );
      }
      continue;
    }
    const service = services.get(name);
    if (service === undefined) {
      issues.push(
        unresolved([...path, 'name'], 'ServiceNotFound', `there is no Service ${name}`, backend.name),
      );
    } else if (findServicePort(service, backend.port ?? 0) === null) {
      issues.push(
        unresolved(
          [...path, 'port'],
          'ServicePortNotFound',
          `Service ${name} has no TCP port ${backend.port}`,
          backend.port,
        ),
      );
    } else if (!withSlices.has(name)) {
      issues.push(
        unresolved(
          [...path, 'name'],
          'EndpointSlicesNotFound',
          `Service ${name} has no EndpointSlice`,
          backend.name,
        ),
      );
    }
  }
  return issues;
}

/** Ports of Services that routes name themselves: `namespace/name` to sorted port numbers. */
export function wantedServicePorts(routes: ObjectSet['ProxyRoute']): ReadonlyMap<string, readonly number[]> {
  const ports = new Map<string, Set<number>>();
  for (const route of routes.values()) {
    for (const { backend } of backendRefs(route)) {
      if (backend.kind !== 'Service' || backend.port === undefined) continue;
      const name = fullName(route.ref.namespace, backend.name);
      const known = ports.get(name) ?? new Set();
      ports.set(name, known.add(backend.port));
    }
  }
  return new Map([...ports].map(([name, numbers]) => [name, [...numbers].sort((a, b) => a - b)]));
}
