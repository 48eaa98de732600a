import type { CompiledCertificate } from './compiled-certificate.ts';

/** Certificates in use, by name. Whoever keeps what it has found here looks again when `generation` is another. */
export class CertificateStore {
  generation = 0;
  readonly #certificates = new Map<string, CompiledCertificate>();

  get(name: string): CompiledCertificate | undefined {
    return this.#certificates.get(name);
  }

  put(certificate: CompiledCertificate): void {
    this.#certificates.set(certificate.config.name, certificate);
    this.generation += 1;
  }

  remove(name: string): void {
    if (this.#certificates.delete(name)) this.generation += 1;
  }
}
