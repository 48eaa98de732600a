import type { CompiledCertificate } from './compiled-certificate.ts';

/**
 * Which certificates of a listener are for which name: exact before wildcard (one label, RFC 6125 section 6.4.3), of
 * each kind of key the first. The first certificate is for clients that name nobody, and for names that none is for;
 * but not while a certificate of the listener is missing, as the name could be that one's.
 */
export class ListenerCertificates {
  readonly #byName = new Map<string, CompiledCertificate[]>();
  readonly #first: CompiledCertificate | undefined;
  readonly #isWhole: boolean;

  /** Undefined: one that is named and not there. */
  constructor(certificates: readonly (CompiledCertificate | undefined)[]) {
    this.#first = certificates[0];
    this.#isWhole = !certificates.includes(undefined);
    for (const certificate of certificates) {
      if (certificate === undefined) continue;
      for (const name of certificate.names) this.#add(name, certificate);
    }
  }

  /** `serverName` in lower case, or empty. Empty where there is none. */
  choose(serverName: string): readonly CompiledCertificate[] {
    if (serverName !== '') {
      const dot = serverName.indexOf('.');
      const exact = this.#byName.get(serverName);
      const wildcard = dot === -1 ? undefined : this.#byName.get(`*${serverName.slice(dot)}`);
      if (exact !== undefined) return wildcard === undefined ? exact : withOthers(exact, wildcard);
      if (wildcard !== undefined) return wildcard;
      if (!this.#isWhole) return [];
    }
    return this.#default();
  }

  #default(): readonly CompiledCertificate[] {
    const first = this.#first;
    if (first === undefined) return [];
    const [name] = first.names;
    return withOthers([first], name === undefined ? [] : this.#byName.get(name)!);
  }

  #add(name: string, certificate: CompiledCertificate): void {
    const known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, [certificate]);
    else if (!known.some(({ keyType }) => keyType === certificate.keyType)) known.push(certificate);
  }
}

/** With those of kinds that are not there yet. */
function withOthers(
  certificates: readonly CompiledCertificate[],
  others: readonly CompiledCertificate[],
): readonly CompiledCertificate[] {
  const kinds = new Set(certificates.map(({ keyType }) => keyType));
  const more = others.filter(({ keyType }) => !kinds.has(keyType));
  return more.length === 0 ? certificates : [...certificates, ...more];
}
