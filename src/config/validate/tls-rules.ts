import { isIP } from 'node:net';
import type { ListenerSpec } from '../crds/proxy-gateway.ts';
import type { BackendTlsSpec, ListenerTlsSpec } from '../crds/tls.ts';
import { durationMs } from '../duration.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { isAddress } from './address-rules.ts';
import { didYouMean } from './did-you-mean.ts';
import { headerNameRules } from './header-rules.ts';
import type { Report } from './issue.ts';
import { CIPHER_NAMES, cipherVersion, curveNames, hasForwardSecrecy, isCurve } from './tls-names.ts';

export function listenerTlsRules(
  listener: ListenerSpec,
  path: FieldPath,
  report: Report,
  warn: Report,
): void {
  const { protocol, tls } = listener;
  const here = [...path, 'tls'];
  if (tls === undefined) {
    if (protocol === 'HTTPS')
      report(
        here,
        'MissingField',
        'must be given for protocol HTTPS, with secretRef, certificateRefs or files',
      );
    return;
  }
  if (protocol !== 'HTTPS' && protocol !== 'TLS') {
    const meant = protocol === 'HTTP' ? '; did you mean protocol HTTPS?' : '';
    report(here, 'InvalidValue', `tls does not go with protocol ${protocol}${meant}`);
  }
  if (protocol === 'HTTPS') certificateRules(tls, here, report);
  versionRules(tls, here, report);
  cipherRules(tls, here, report, warn);
  for (const [index, curve] of tls.curves.entries()) {
    if (isCurve(curve)) continue;
    report(
      [...here, 'curves', index],
      'InvalidValue',
      `OpenSSL has no group "${curve}" for the key exchange${didYouMean(curve, curveNames())}`,
      curve,
    );
  }
  const h2 = tls.alpn?.indexOf('h2') ?? -1;
  if (h2 !== -1 && !listener.http.http2.enabled) {
    report(
      [...here, 'alpn', h2],
      'InvalidValue',
      'h2 cannot be offered while http.http2.enabled is false',
      'h2',
    );
  }
  const http1 = tls.alpn?.indexOf('http/1.1') ?? -1;
  if (http1 !== -1 && !listener.http.http1.enabled) {
    report(
      [...here, 'alpn', http1],
      'InvalidValue',
      'http/1.1 cannot be offered while http.http1.enabled is false',
      'http/1.1',
    );
  }
  if (durationMs(tls.handshakeTimeout) === 0)
    report([...here, 'handshakeTimeout'], 'InvalidValue', 'must be more than 0', tls.handshakeTimeout);
  clientCertificateRules(tls, here, report);
}

function certificateRules(tls: ListenerTlsSpec, path: FieldPath, report: Report): void {
  if (tls.secretRef === undefined && tls.certificateRefs === undefined && tls.files === undefined) {
    report([...path, 'secretRef'], 'MissingField', 'must be given (or certificateRefs, or files)');
  }
  const names = new Set(tls.secretRef === undefined ? [] : [tls.secretRef.name]);
  for (const [index, { name }] of (tls.certificateRefs ?? []).entries()) {
    if (names.has(name))
      report(
        [...path, 'certificateRefs', index, 'name'],
        'InvalidValue',
        `Secret "${name}" is named twice`,
        name,
      );
    names.add(name);
  }
  const files = new Set<string>();
  for (const [index, { certificate }] of (tls.files ?? []).entries()) {
    if (files.has(certificate)) {
      report(
        [...path, 'files', index, 'certificate'],
        'InvalidValue',
        `file "${certificate}" is named twice`,
        certificate,
      );
    }
    files.add(certificate);
  }
}

function versionRules({ minVersion, maxVersion }: ListenerTlsSpec, path: FieldPath, report: Report): void {
  if (minVersion > maxVersion) {
    report(
      [...path, 'minVersion'],
      'InvalidValue',
      `${minVersion} is newer than maxVersion, ${maxVersion}`,
      minVersion,
    );
  }
}

function cipherRules(
  { ciphers, minVersion, maxVersion }: ListenerTlsSpec,
  path: FieldPath,
  report: Report,
  warn: Report,
): void {
  for (const [index, cipher] of ciphers.entries()) {
    const here = [...path, 'ciphers', index];
    const version = cipherVersion(cipher);
    if (version === null) {
      report(
        here,
        'InvalidValue',
        `OpenSSL has no cipher "${cipher}" that works with a certificate${didYouMean(cipher, CIPHER_NAMES)}`,
        cipher,
      );
    } else if (version < minVersion || version > maxVersion) {
      const [field, bound] = version < minVersion ? ['minVersion', minVersion] : ['maxVersion', maxVersion];
      report(
        here,
        'InvalidValue',
        `"${cipher}" is of ${version}, which is not spoken (${field} is ${bound})`,
        cipher,
      );
    } else if (!hasForwardSecrecy(cipher)) {
      warn(
        here,
        'WeakCipher',
        `"${cipher}" has no forward secrecy: who gets the key later can read what was recorded before`,
        cipher,
      );
    }
  }
}

/** Headers that NovaEdge writes for every request, see docs/client-address.md. */
const TAKEN = /^(x-forwarded-(for|proto|host|port)|forwarded|x-request-id|x-real-ip|via|date|server)$/i;

function clientCertificateRules(
  { clientCertificates }: ListenerTlsSpec,
  path: FieldPath,
  report: Report,
): void {
  if (clientCertificates === undefined) return;
  const here = [...path, 'clientCertificates'];
  authorityRules(clientCertificates, clientCertificates.mode !== 'None', here, report);
  headerNameRules(clientCertificates.header, [...here, 'header'], report);
  if (TAKEN.test(clientCertificates.header)) {
    report(
      [...here, 'header'],
      'InvalidValue',
      `the header "${clientCertificates.header}" says something else already`,
      clientCertificates.header,
    );
  }
}

function authorityRules(
  { caSecretRef, caFile }: Pick<BackendTlsSpec, 'caSecretRef' | 'caFile'>,
  needed: boolean,
  path: FieldPath,
  report: Report,
): void {
  if (caSecretRef !== undefined && caFile !== undefined)
    report([...path, 'caFile'], 'InvalidValue', 'caSecretRef and caFile exclude each other', caFile);
  if (needed && caSecretRef === undefined && caFile === undefined)
    report([...path, 'caSecretRef'], 'MissingField', 'must be given (or caFile)');
}

export function backendTlsRules(tls: BackendTlsSpec, path: FieldPath, report: Report, warn: Report): void {
  authorityRules(tls, false, path, report);
  if (tls.insecureSkipVerify) {
    for (const field of ['caSecretRef', 'caFile'] as const) {
      if (tls[field] !== undefined)
        report(
          [...path, field],
          'InvalidValue',
          'does not go with insecureSkipVerify, which verifies nothing',
        );
    }
    if (tls.subjectAltNames.length > 0) {
      report(
        [...path, 'subjectAltNames'],
        'InvalidValue',
        'does not go with insecureSkipVerify, which verifies nothing',
      );
    }
    warn([...path, 'insecureSkipVerify'], 'NotVerified', 'whoever answers is believed');
  }
  for (const [index, name] of tls.subjectAltNames.entries()) {
    if (isIP(name) === 0 && !isAddress(name)) {
      report(
        [...path, 'subjectAltNames', index],
        'InvalidValue',
        `${JSON.stringify(name)} is neither a DNS name nor an IP address`,
        name,
      );
    }
  }
}
