import { dirname, isAbsolute, join } from 'node:path';
import type { ListenerSpec } from '../crds/proxy-gateway.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import type { ObjectSet } from './finding.ts';

/** Where a certificate comes from. */
export type CertificateOrigin =
  /** `namespace/name` */
  | { readonly type: 'secret'; readonly secret: string }
  /** Paths as the program reaches them. */
  | {
      readonly type: 'files';
      readonly certificate: string;
      readonly key: string;
      readonly ocspStaple: string | null;
    };

/** Where a bundle of authorities comes from; `id` is the same for the same place. */
export type AuthoritiesOrigin =
  | { readonly type: 'secret'; readonly id: string; readonly secret: string }
  | { readonly type: 'file'; readonly id: string; readonly path: string };

export interface CertificateReference {
  /** In the object that names it. */
  readonly path: FieldPath;
  /** As the object names it. */
  readonly value: string;
  /** Of the certificate resource. */
  readonly name: string;
  readonly origin: CertificateOrigin;
}

export interface AuthoritiesReference {
  readonly path: FieldPath;
  readonly value: string;
  readonly origin: AuthoritiesOrigin;
}

/** Certificates that a listener names, in the order in which they are offered. `path` is that of the listener. */
export function listenerCertificates(
  gateway: TypedObject<'ProxyGateway'>,
  listener: ListenerSpec,
  path: FieldPath,
): readonly CertificateReference[] {
  const { tls } = listener;
  if (tls === undefined || listener.protocol !== 'HTTPS') return [];
  const references: CertificateReference[] = [];
  const secret = (name: string, at: FieldPath): void => {
    const full = fullName(gateway.ref.namespace, name);
    references.push({
      path: [...path, 'tls', ...at, 'name'],
      value: name,
      name: full,
      origin: { type: 'secret', secret: full },
    });
  };
  if (tls.secretRef !== undefined) secret(tls.secretRef.name, ['secretRef']);
  for (const [index, { name }] of (tls.certificateRefs ?? []).entries())
    secret(name, ['certificateRefs', index]);
  const whole = from(gateway);
  for (const [index, { certificate, key, ocspStaple }] of (tls.files ?? []).entries()) {
    references.push({
      path: [...path, 'tls', 'files', index, 'certificate'],
      value: certificate,
      name: `${gateway.name}/${listener.name}/${certificate}`,
      origin: {
        type: 'files',
        certificate: whole(certificate),
        key: whole(key),
        ocspStaple: ocspStaple === undefined ? null : whole(ocspStaple),
      },
    });
  }
  return references;
}

/** Authorities whose clients a listener takes; null where it asks for no certificate. */
export function listenerAuthorities(
  gateway: TypedObject<'ProxyGateway'>,
  listener: ListenerSpec,
  path: FieldPath,
): AuthoritiesReference | null {
  const { clientCertificates } = listener.tls ?? {};
  if (listener.protocol !== 'HTTPS' || clientCertificates === undefined || clientCertificates.mode === 'None')
    return null;
  return authorities(gateway, clientCertificates, [...path, 'tls', 'clientCertificates']);
}

/** Certificate that is shown to a backend. */
export function backendCertificate(backend: TypedObject<'ProxyBackend'>): CertificateReference | null {
  const name = backend.content.spec.tls?.clientCertificateRef?.name;
  if (name === undefined) return null;
  const full = fullName(backend.ref.namespace, name);
  return {
    path: ['spec', 'tls', 'clientCertificateRef', 'name'],
    value: name,
    name: full,
    origin: { type: 'secret', secret: full },
  };
}

/** Authorities that a backend is trusted by. */
export function backendAuthorities(backend: TypedObject<'ProxyBackend'>): AuthoritiesReference | null {
  const { tls } = backend.content.spec;
  return tls === undefined ? null : authorities(backend, tls, ['spec', 'tls']);
}

function authorities(
  object: TypedObject,
  { caSecretRef, caFile }: { readonly caSecretRef?: { readonly name: string }; readonly caFile?: string },
  path: FieldPath,
): AuthoritiesReference | null {
  if (caSecretRef !== undefined) {
    const secret = fullName(object.ref.namespace, caSecretRef.name);
    return {
      path: [...path, 'caSecretRef', 'name'],
      value: caSecretRef.name,
      origin: { type: 'secret', id: `Secret ${secret}`, secret },
    };
  }
  if (caFile === undefined) return null;
  const whole = from(object)(caFile);
  return {
    path: [...path, 'caFile'],
    value: caFile,
    origin: { type: 'file', id: `file ${whole}`, path: whole },
  };
}

const from = (object: TypedObject): ((path: string) => string) => {
  const directory = dirname(object.source);
  return (path) => (isAbsolute(path) ? path : join(directory, path));
};

/** Everything that listeners and backends name. */
export interface TlsReferences {
  readonly certificates: ReadonlyMap<string, CertificateOrigin>;
  readonly authorities: ReadonlyMap<string, AuthoritiesOrigin>;
  /** Paths as the program reaches them. */
  readonly files: ReadonlySet<string>;
}

export function tlsReferences(
  gateways: ObjectSet['ProxyGateway'],
  backends: ObjectSet['ProxyBackend'],
): TlsReferences {
  const certificates = new Map<string, CertificateOrigin>();
  const authorities = new Map<string, AuthoritiesOrigin>();
  const files = new Set<string>();
  const addCertificate = ({ name, origin }: CertificateReference): void => {
    certificates.set(name, origin);
    if (origin.type !== 'files') return;
    for (const path of [origin.certificate, origin.key, origin.ocspStaple])
      if (path !== null) files.add(path);
  };
  const addAuthorities = (reference: AuthoritiesReference | null): void => {
    if (reference === null) return;
    authorities.set(reference.origin.id, reference.origin);
    if (reference.origin.type === 'file') files.add(reference.origin.path);
  };
  for (const gateway of gateways.values()) {
    for (const listener of gateway.content.spec.listeners) {
      for (const reference of listenerCertificates(gateway, listener, [])) addCertificate(reference);
      addAuthorities(listenerAuthorities(gateway, listener, []));
    }
  }
  for (const backend of backends.values()) {
    const certificate = backendCertificate(backend);
    if (certificate !== null) addCertificate(certificate);
    addAuthorities(backendAuthorities(backend));
  }
  return { certificates, authorities, files };
}
