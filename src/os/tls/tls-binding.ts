import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { StreamHandle } from '../stream-handle.ts';
import { hasStreamBinding, runtimeBinding } from '../stream-handle.ts';

/**
 * The runtime's TLS over another handle (OpenSSL between two memory BIOs), which lies beneath `tls.TLSSocket`. Its
 * rules, where breaking one ends the process or harms memory:
 *
 * - One write at a time, of at least one byte; it completes in a later turn, though the bytes are encrypted (and so
 *   free) at once. Its request object serves for another write when the runtime has let go of it, which is not before
 *   `oncomplete` has returned; where that is no function, nothing is called.
 * - `destroySSL` never from within one of its callbacks, which OpenSSL may be calling.
 * - No `shutdown` while a write is under way: the end of TCP would overtake the end of TLS.
 */
export interface NativeTls {
  onread: (this: NativeTls) => Uint8Array | undefined;
  onerror: (this: NativeTls, error: Error & { code?: string }) => void;
  onhandshakedone: ((this: NativeTls) => void) | null;
  /** Client: a session that `setSession` takes. */
  onnewsession: (this: NativeTls, id: Buffer, session: Buffer) => void;
  useUserBuffer(bytes: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** Encrypted bytes that are not known to be the kernel's yet. */
  readonly writeQueueSize: number;
  writeBuffer(request: NativeWriteRequest, bytes: Uint8Array): number;
  writev(request: NativeWriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  shutdown(request: object): number;
  destroySSL(): void;
  /** Bytes that somebody else has read from the handle beneath. */
  receive(bytes: Uint8Array): void;
  /** Client: begins the handshake. */
  start(): void;
  /** Length-prefixed names (RFC 7301). */
  setALPNProtocols(names: Buffer): void;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  enableSessionCallbacks(): void;
  setOCSPResponse(response: Buffer): void;
  setVerifyMode(request: boolean, refuseWithout: boolean): void;
  /** Undefined: the peer's certificate is trusted, or it has shown none. */
  verifyError(): (Error & { code?: string }) | undefined;
  hasPeerCertificate(): boolean;
  /** `detailed`: with the whole chain. Undefined where none was shown. */
  getPeerCertificate(detailed: boolean): unknown;
  getALPNNegotiatedProtocol(): string | false;
  getProtocol(): string;
  getCipher(): { readonly name: string; readonly standardName: string };
  isSessionReused(): boolean;
}

export interface NativeWriteRequest {
  oncomplete: ((this: NativeWriteRequest, status: number) => void) | null;
  bytes: Uint8Array | readonly Uint8Array[] | null;
  /** Negative: it is no write's, because none has begun with it or that one is over. */
  getAsyncId(): number;
}

interface TlsBinding {
  wrap(handle: StreamHandle, context: object, isServer: boolean, hasWrite: boolean): NativeTls;
  readonly TLSWrap: { readonly prototype: Partial<NativeTls> };
}

const USED = ['useUserBuffer', 'receive', 'writeBuffer', 'writev', 'shutdown', 'destroySSL', 'verifyError'];

function load(): TlsBinding | null {
  if (!hasStreamBinding) return null;
  const binding = runtimeBinding<TlsBinding>('tls_wrap');
  const prototype = binding?.TLSWrap?.prototype as Record<string, unknown> | undefined;
  const usable =
    typeof binding?.wrap === 'function' && USED.every((name) => typeof prototype?.[name] === 'function');
  return usable && typeof createSecureContext().context === 'object' ? (binding as TlsBinding) : null;
}

const binding = load();
export const hasTlsHandles = binding !== null;

export function wrapNative(handle: StreamHandle, context: SecureContext, isServer: boolean): NativeTls {
  return binding!.wrap(handle, context.context, isServer, false);
}
