import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';

/** Paths of PEM files. */
export interface TlsFiles {
  /** Authorities whose certificates are taken from the other side. */
  readonly ca: string;
  /** Own certificate, with intermediate ones after it. */
  readonly cert: string;
  readonly key: string;
}

export interface CredentialsRequest {
  /** `HOST:PORT` or `unix:/path`, as given by the user. */
  readonly address: string;
  /** What the user gave of `--ca`, `--cert` and `--key`. */
  readonly files: { readonly [File in keyof TlsFiles]?: string | undefined };
  /** The user asked for plaintext by name (`--insecure`). */
  readonly insecure: boolean;
}

/** Credentials in use, which can be read anew while connections go on. */
export interface Reloadable<Credentials> {
  readonly credentials: Credentials;
  /** False: plaintext. */
  readonly secure: boolean;
  /**
   * Reads the files again (SIGHUP); new connections use them.
   * @throws CredentialsError; what was read before then stays in use.
   */
  reload(): void;
}

/** Names file or flag and what is wrong; never holds key material. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/**
 * Of a listener that requires a client certificate, or plaintext where nobody but this machine can connect.
 * @throws CredentialsError
 */
export function serverCredentials(request: CredentialsRequest): Reloadable<ServerCredentials> {
  const files = tlsFiles(request);
  if (files === undefined) return plaintext(ServerCredentials.createInsecure());
  const provider = new FileProvider(files);
  return {
    credentials: experimental.createCertificateProviderServerCredentials(provider, provider, true),
    secure: true,
    reload: () => provider.reload(),
  };
}

/**
 * Of a client that shows its certificate, or plaintext towards this machine.
 * @throws CredentialsError
 */
export function channelCredentials(request: CredentialsRequest): Reloadable<ChannelCredentials> {
  const files = tlsFiles(request);
  if (files === undefined) return plaintext(ChannelCredentials.createInsecure());
  const provider = new FileProvider(files);
  return {
    credentials: experimental.createCertificateProviderChannelCredentials(provider, provider, {
      checkServerIdentity: (name, certificate) =>
        checkServerIdentity(name === ADDRESS_NAME ? hostOf(request.address) : name, certificate),
    }),
    secure: true,
    reload: () => provider.reload(),
  };
}

/** Never in a certificate (RFC 6761 section 6.4), so that only a check that knows the address can pass. */
const ADDRESS_NAME = 'address.invalid';

/**
 * Channel options for a TLS server that is named by its IP address: gRPC would send the address as the TLS server
 * name, which RFC 6066 section 3 forbids and Node refuses. Goes with the credentials of `channelCredentials`, which
 * check the certificate against the address.
 */
export function addressOptions(address: string): { 'grpc.ssl_target_name_override'?: string } {
  return isIP(hostOf(address)) === 0 ? {} : { 'grpc.ssl_target_name_override': ADDRESS_NAME };
}

/** Whether only this machine can be on the other side: a Unix socket or a loopback address. */
export function isLocal(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = hostOf(address);
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Of `HOST:PORT`, without brackets. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

function plaintext<Credentials>(credentials: Credentials): Reloadable<Credentials> {
  return { credentials, secure: false, reload: () => {} };
}

/** @returns undefined for plaintext. */
function tlsFiles({ address, files, insecure }: CredentialsRequest): TlsFiles | undefined {
  const { ca, cert, key } = files;
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    if (insecure)
      throw new CredentialsError('--insecure contradicts --ca, --cert and --key: give one or the other');
    return { ca, cert, key };
  }
  const missing = Object.entries({ ca, cert, key }).flatMap(([flag, file]) =>
    file === undefined ? [`--${flag}`] : [],
  );
  if (missing.length < 3) {
    throw new CredentialsError(`TLS needs --ca, --cert and --key together: ${missing.join(' and ')} missing`);
  }
  if (insecure || isLocal(address)) return undefined;
  throw new CredentialsError(
    `${address} can be reached from other machines, so it needs TLS: give --ca FILE, --cert FILE and --key FILE ` +
      '(novaedge certs --out DIR makes them), or --insecure for plaintext',
  );
}

interface Identity {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

class FileProvider implements experimental.CertificateProvider {
  readonly #files: TlsFiles;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #identity: Identity;

  constructor(files: TlsFiles) {
    this.#files = files;
    this.#identity = readIdentity(files);
  }

  reload(): void {
    this.#identity = readIdentity(this.#files);
    for (const listener of this.#caListeners) listener({ caCertificate: this.#identity.ca });
    for (const listener of this.#identityListeners) listener(this.#identity);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    // gRPC takes no update while it adds the listener.
    process.nextTick(() => {
      if (this.#caListeners.has(listener)) listener({ caCertificate: this.#identity.ca });
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => {
      if (this.#identityListeners.has(listener)) listener(this.#identity);
    });
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }
}

function readIdentity(files: TlsFiles): Identity {
  const ca = read(files.ca);
  const certificate = read(files.cert);
  const privateKey = read(files.key);
  parseCertificate(ca, files.ca);
  const own = parseCertificate(certificate, files.cert);
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(privateKey);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_MISSING_PASSPHRASE' ? 'is encrypted' : 'is not a private key in PEM';
    throw new CredentialsError(`${files.key}: ${why}`);
  }
  if (!own.checkPrivateKey(key)) {
    throw new CredentialsError(`${files.key}: is not the key of the certificate in ${files.cert}`);
  }
  return { ca, certificate, privateKey };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CredentialsError(`${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  }
}

/** The first of the certificates in a file. */
function parseCertificate(pem: Buffer, file: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new CredentialsError(`${file}: is not a certificate in PEM`);
  }
  const now = Date.now();
  if (certificate.validToDate.getTime() < now) {
    throw new CredentialsError(
      `${file}: the certificate expired on ${certificate.validToDate.toISOString()}`,
    );
  }
  if (certificate.validFromDate.getTime() > now) {
    throw new CredentialsError(
      `${file}: the certificate is not valid before ${certificate.validFromDate.toISOString()}`,
    );
  }
  return certificate;
}
