import type { CompiledCertificate } from './compiled-certificate.ts';

const NONE: readonly CompiledCertificate[] = [];

/**
 * Which certificates of a listener are for which name: exact before wildcard (one label, RFC 6125 section 6.4.3), of
 * each kind of key the first. The first certificate is for clients that name nobody, and for names that none is for;
 * but not while a certificate of the listener is missing, as the name could be that one's.
 */
export class ListenerCertificates {
  readonly #byName = new Map<string, CompiledCertificate[]>();
  /** Those of an exact name with the kinds of its wildcard. */
  readonly #joined = new Map<readonly CompiledCertificate[], readonly CompiledCertificate[]>();
  readonly #default: readonly CompiledCertificate[];
  readonly #isWhole: boolean;

  /** Undefined: one that is named and not there. */
  constructor(certificates: readonly (CompiledCertificate | undefined)[]) {
    this.#isWhole = !certificates.includes(undefined);
    for (const certificate of certificates) {
      if (certificate === undefined) continue;
      for (const name of certificate.names) this.#add(name, certificate);
    }
    this.#default = this.#withFirst(certificates[0]);
  }

  /** `serverName` in lower case, or empty. Empty where there is none; the same choice is the same array. */
  choose(serverName: string): readonly CompiledCertificate[] {
    if (serverName !== '') {
      const dot = serverName.indexOf('.');
      const exact = this.#byName.get(serverName);
      const wildcard = dot === -1 ? undefined : this.#byName.get(`*${serverName.slice(dot)}`);
      if (exact !== undefined) return wildcard === undefined ? exact : this.#join(exact, wildcard);
      if (wildcard !== undefined) return wildcard;
      if (!this.#isWhole) return NONE;
    }
    return this.#default;
  }

  #join(
    exact: readonly CompiledCertificate[],
    wildcard: readonly CompiledCertificate[],
  ): readonly CompiledCertificate[] {
    let joined = this.#joined.get(exact);
    if (joined === undefined) {
      joined = withOthers(exact, wildcard);
      this.#joined.set(exact, joined);
    }
    return joined;
  }

  #withFirst(first: CompiledCertificate | undefined): readonly CompiledCertificate[] {
    if (first === undefined) return NONE;
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
