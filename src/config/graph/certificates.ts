import type { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../model/certificate.ts';
import { type AuthoritiesReading, readAuthorities } from '../certificate/read-authorities.ts';
import {
  type CertificateFault,
  type CertificateReading,
  type Part,
  type ReadCertificate,
  readCertificate,
} from '../certificate/read-certificate.ts';
import { hasSecretPart, secretPart } from '../certificate/secret-part.ts';
import { KeyedMemo } from '../memo.ts';
import type { FileContent } from '../source/file-contents.ts';
import type { TypedObject } from '../validate/typed-object.ts';
import { type Finding, keyed, type ObjectSet, PLAIN } from './finding.ts';
import type { AuthoritiesOrigin, CertificateOrigin, TlsReferences } from './tls-references.ts';

/** What became of a certificate that is named; the same JS object while nothing changes about it. */
export interface CertificateState {
  /** What serves: the newest, or the last good one, or nothing. */
  readonly serving: Certificate | null;
  readonly leaf: X509Certificate | null;
  /** Why the newest does not serve. */
  readonly fault: CertificateFault | null;
  readonly warnings: readonly CertificateFault[];
  /** Of the newest that could be read, ms since the epoch; null where none could. */
  readonly notAfter: number | null;
}

export interface AuthoritiesState {
  readonly pem: string | null;
  readonly fault: CertificateFault | null;
}

export interface TlsMaterial {
  /** By the name of the certificate. */
  readonly certificates: ReadonlyMap<string, CertificateState>;
  /** By the id of their origin. */
  readonly authorities: ReadonlyMap<string, AuthoritiesState>;
  /** Of the Secrets that certificates come from. */
  readonly secrets: ReadonlyMap<string, Finding>;
  /** When time alone will change something, ms since the epoch; Infinity: never. */
  readonly changesAt: number;
}

/** So long before its end a certificate is warned of, ms. */
export const EXPIRES_SOON = 30 * 24 * 3_600_000;

type Files = ReadonlyMap<string, FileContent>;

/**
 * Reads every certificate and bundle of authorities that is named. One that turns bad leaves the last good one in
 * use, as long as its Secret is there and its time is not over.
 */
export class CertificateGrapher {
  readonly #readings = new KeyedMemo<readonly unknown[], CertificateReading>();
  readonly #authorityReadings = new KeyedMemo<readonly unknown[], AuthoritiesReading>();
  readonly #states = new KeyedMemo<readonly unknown[], CertificateState>();
  readonly #authorityStates = new KeyedMemo<readonly unknown[], AuthoritiesState>();
  readonly #findings = new KeyedMemo<readonly [Certificate | null], Finding>();
  readonly #published = new WeakMap<ReadCertificate, Certificate>();
  #good = new Map<string, ReadCertificate>();
  #goodAuthorities = new Map<string, string>();
  #last: TlsMaterial = {
    certificates: new Map(),
    authorities: new Map(),
    secrets: new Map(),
    changesAt: Infinity,
  };

  graph(references: TlsReferences, secrets: ObjectSet['Secret'], files: Files, now: number): TlsMaterial {
    let changesAt = Infinity;
    const certificates = new Map<string, CertificateState>();
    const findings = new Map<string, Finding>();
    const good = new Map<string, ReadCertificate>();
    for (const [name, origin] of references.certificates) {
      const reading = this.#read(name, origin, secrets, files);
      const known = reading === null ? undefined : this.#good.get(name);
      const state = this.#decide(name, reading, known, good, now);
      certificates.set(name, state);
      for (const one of [reading?.ok === true ? reading.certificate : undefined, good.get(name)])
        if (one !== undefined) changesAt = Math.min(changesAt, nextMoment(one, now));
      if (origin.type === 'secret' && state.serving !== null)
        findings.set(origin.secret, this.#findings.get(name, [state.serving], findingOf));
    }
    this.#good = good;
    const authorities = new Map<string, AuthoritiesState>();
    const goodAuthorities = new Map<string, string>();
    for (const [id, origin] of references.authorities)
      authorities.set(id, this.#decideAuthorities(id, origin, secrets, files, goodAuthorities));
    this.#goodAuthorities = goodAuthorities;
    for (const memo of [
      this.#readings,
      this.#authorityReadings,
      this.#states,
      this.#authorityStates,
      this.#findings,
    ])
      memo.endRound();
    this.#last = {
      certificates: kept(this.#last.certificates, certificates),
      authorities: kept(this.#last.authorities, authorities),
      secrets: kept(this.#last.secrets, findings),
      changesAt,
    };
    return this.#last;
  }

  /** Null: the Secret is not there. */
  #read(
    name: string,
    origin: CertificateOrigin,
    secrets: ObjectSet['Secret'],
    files: Files,
  ): CertificateReading | null {
    if (origin.type === 'secret') {
      const secret = secrets.get(origin.secret);
      return secret === undefined
        ? null
        : this.#readings.get(name, [secret], () => readCertificate(secretParts(secret)));
    }
    const { certificate, key, ocspStaple } = origin;
    const contents = [certificate, key, ocspStaple].map((path) => (path === null ? null : files.get(path)));
    return this.#readings.get(name, [certificate, key, ocspStaple, ...contents], () =>
      readCertificate({
        chain: filePart(certificate, files),
        key: filePart(key, files),
        ocspStaple: ocspStaple === null ? null : filePart(ocspStaple, files),
      }),
    );
  }

  #decide(
    name: string,
    reading: CertificateReading | null,
    before: ReadCertificate | undefined,
    good: Map<string, ReadCertificate>,
    now: number,
  ): CertificateState {
    const newest = reading?.ok === true ? reading.certificate : null;
    const fault =
      reading === null ? NO_SECRET : reading.ok ? untimely(reading.certificate, now) : reading.fault;
    let serving = fault === null ? newest : null;
    if (serving === null && before !== undefined && now < before.notAfter) serving = before;
    if (serving !== null) good.set(name, serving);
    const soon = serving !== null && now >= serving.notAfter - EXPIRES_SOON;
    return this.#states.get(name, [reading, fault?.reason, serving, soon], () => ({
      serving: serving === null ? null : this.#publish(name, serving),
      leaf: serving?.leaf ?? null,
      fault,
      warnings: [
        ...(soon && serving !== null ? [expiresSoon(serving)] : []),
        ...(serving?.warning === null || serving === null ? [] : [serving.warning]),
      ],
      notAfter: (newest ?? serving)?.notAfter ?? null,
    }));
  }

  #publish(name: string, read: ReadCertificate): Certificate {
    const known = this.#published.get(read);
    if (known !== undefined) return known;
    const { chain, privateKey, ocspStaple, notAfter } = read;
    const made = { name, chain, privateKey, ocspStaple, notAfter };
    this.#published.set(read, made);
    return made;
  }

  #decideAuthorities(
    id: string,
    origin: AuthoritiesOrigin,
    secrets: ObjectSet['Secret'],
    files: Files,
    good: Map<string, string>,
  ): AuthoritiesState {
    const secret = origin.type === 'secret' ? secrets.get(origin.secret) : undefined;
    if (origin.type === 'secret' && secret === undefined)
      return this.#authorityStates.get(id, [null], () => ({ pem: null, fault: NO_SECRET }));
    const content = origin.type === 'file' ? files.get(origin.path) : secret;
    const reading = this.#authorityReadings.get(id, [content], () =>
      readAuthorities(origin.type === 'file' ? filePart(origin.path, files) : secretPart(secret!, 'ca.crt')),
    );
    const pem = reading.ok ? reading.pem : (this.#goodAuthorities.get(id) ?? null);
    if (pem !== null) good.set(id, pem);
    return this.#authorityStates.get(id, [reading, pem], () => ({
      pem,
      fault: reading.ok ? null : reading.fault,
    }));
  }
}

const NO_SECRET: CertificateFault = { reason: 'SecretNotFound', field: '', message: 'is not there' };

function findingOf(certificate: Certificate | null): Finding {
  return certificate === null
    ? PLAIN
    : { ...PLAIN, resources: [keyed({ kind: 'certificate', value: certificate })] };
}

function secretParts(secret: TypedObject<'Secret'>): Parameters<typeof readCertificate>[0] {
  return {
    chain: secretPart(secret, 'tls.crt'),
    key: secretPart(secret, 'tls.key'),
    ocspStaple: hasSecretPart(secret, 'tls.ocsp-staple') ? secretPart(secret, 'tls.ocsp-staple') : null,
  };
}

function filePart(path: string, files: Files): Part {
  const content = files.get(path);
  if (content === undefined)
    return {
      field: path,
      bytes: null,
      fault: 'cannot be read: files are read beside manifests on disk only',
    };
  return 'bytes' in content
    ? { field: path, bytes: content.bytes }
    : { field: path, bytes: null, fault: content.fault };
}

/** Moments as users see them in a certificate. */
const moment = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');

function untimely({ field, notBefore, notAfter }: ReadCertificate, now: number): CertificateFault | null {
  if (now < notBefore)
    return { reason: 'CertificateNotYetValid', field, message: `is valid from ${moment(notBefore)} only` };
  if (now >= notAfter)
    return { reason: 'CertificateExpired', field, message: `has expired at ${moment(notAfter)}` };
  return null;
}

function expiresSoon(certificate: ReadCertificate): CertificateFault {
  return {
    reason: 'CertificateExpiresSoon',
    field: certificate.field,
    message: `expires at ${moment(certificate.notAfter)}`,
  };
}

function nextMoment({ notBefore, notAfter }: ReadCertificate, now: number): number {
  return [notBefore, notAfter - EXPIRES_SOON, notAfter].find((time) => time > now) ?? Infinity;
}

/** The map of before where it has the same values. */
function kept<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (before.size !== now.size) return now;
  for (const [key, value] of now) if (before.get(key) !== value) return now;
  return before;
}
