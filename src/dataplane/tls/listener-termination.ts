import type { SecureContext } from 'node:tls';
import type { ListenerTls } from '../../model/tls.ts';
import { serverContext } from '../../os/tls/server-context.ts';
import type { SessionTickets } from '../../os/tls/ticket-keys.ts';
import type { TlsSettings } from '../../os/tls/tls-stream.ts';
import type { ClientHello } from '../../wire/tls/client-hello.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { CompiledCertificate } from './compiled-certificate.ts';
import { ListenerCertificates } from './listener-certificates.ts';

/** RFC 8446 section 4.2.3: a client that offers 1.3 and this takes an EC certificate on P-256. */
const ECDSA_P256 = 0x0403;
const TLS_1_3 = 0x0304;
const ECDSA_LOW_BYTE = 0x03;
const NO_TICKETS = { serve: () => {} };

/** What one listener shows and agrees to under its settings in use, with the certificates in use. */
export class ListenerTermination {
  readonly tls: ListenerTls;
  /** HTTP/2 may be agreed on. */
  readonly http2: boolean;
  readonly #name: string;
  readonly #store: CertificateStore;
  readonly #tickets: SessionTickets;
  readonly #alpn: Buffer | null;
  #certificates = new ListenerCertificates([]);
  #generation = -1;
  /** By the certificates they have. */
  readonly #contexts = new Map<
    string,
    { readonly certificates: readonly CompiledCertificate[]; readonly context: SecureContext }
  >();
  /** The same, by a choice of `#certificates`. */
  readonly #chosen = new Map<readonly CompiledCertificate[], SecureContext>();

  constructor(
    name: string,
    tls: ListenerTls,
    http2: boolean,
    store: CertificateStore,
    tickets: SessionTickets,
  ) {
    this.#name = name;
    this.tls = tls;
    this.http2 = http2;
    this.#store = store;
    this.#tickets = tickets;
    this.#alpn = wireNames(tls.alpn.filter((protocol) => protocol !== 'h2' || http2));
  }

  /** How TLS is spoken with this client; null where no certificate is for it. */
  settingsFor(hello: ClientHello): TlsSettings | null {
    this.#refresh();
    const choice = this.#certificates.choose(hello.serverName);
    if (choice.length === 0) return null;
    let certificates = choice;
    if (hello.wantsStatus && choice.length > 1 && choice.some(({ ocspStaple }) => ocspStaple !== null))
      certificates = this.#one(choice, hello);
    const { clientCertificates } = this.tls;
    return {
      context: certificates === choice ? this.#contextOf(choice) : this.#context(certificates),
      isServer: true,
      alpn: hello.alpn.length === 0 ? null : this.#alpn,
      clientCertificate:
        clientCertificates === null
          ? 'none'
          : clientCertificates.mode === 'Required'
            ? 'required'
            : 'optional',
      ocspResponse: hello.wantsStatus && certificates.length === 1 ? certificates[0]!.ocspStaple : null,
      serverName: '',
      session: null,
    };
  }

  /** A staple is given before OpenSSL has chosen: so where the choice is clear, it is made here. */
  #one(certificates: readonly CompiledCertificate[], hello: ClientHello): readonly CompiledCertificate[] {
    const { signatureAlgorithms, versions } = hello;
    const takesEc =
      versions.includes(TLS_1_3) &&
      this.tls.maxVersion === 'TLSv1.3' &&
      signatureAlgorithms.includes(ECDSA_P256);
    const takesNoEc =
      signatureAlgorithms.length > 0 && signatureAlgorithms.every((one) => (one & 0xff) !== ECDSA_LOW_BYTE);
    if (!takesEc && !takesNoEc) return certificates;
    const chosen = certificates.filter(({ keyType }) => (keyType === 'ec') === takesEc);
    return chosen.length === 1 ? chosen : certificates;
  }

  #refresh(): void {
    if (this.#generation === this.#store.generation) return;
    this.#generation = this.#store.generation;
    this.#certificates = new ListenerCertificates(this.tls.certificates.map((name) => this.#store.get(name)));
    this.#chosen.clear();
    for (const [key, { certificates }] of this.#contexts) {
      const isCurrent = certificates.every((one) => this.#store.get(one.config.name) === one);
      if (!isCurrent) this.#contexts.delete(key);
    }
  }

  #contextOf(choice: readonly CompiledCertificate[]): SecureContext {
    let context = this.#chosen.get(choice);
    if (context === undefined) {
      context = this.#context(choice);
      this.#chosen.set(choice, context);
    }
    return context;
  }

  #context(certificates: readonly CompiledCertificate[]): SecureContext {
    const key = certificates.map(({ config }) => config.name).join(' ');
    const known = this.#contexts.get(key);
    if (known !== undefined) return known.context;
    const configs = certificates.map(({ config }) => config);
    const context = serverContext(configs, this.tls, this.#tickets, `${this.#name} ${key}`);
    this.#contexts.set(key, { certificates, context });
    return context;
  }
}

/** @throws Error where OpenSSL refuses versions, ciphers, curves or authorities */
export function checkListenerTls(tls: ListenerTls | null): void {
  if (tls !== null) serverContext([], { ...tls, sessionTickets: false }, NO_TICKETS, '');
}

/** Each name with its length before it. */
function wireNames(names: readonly string[]): Buffer | null {
  if (names.length === 0) return null;
  return Buffer.concat(
    names.map((name) => Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')])),
  );
}
