import { PlainHandle } from '../plain-handle.ts';
import type { StreamHandle } from '../stream-handle.ts';
import { NativeTlsHandle } from './native-tls-handle.ts';
import { PlainTlsHandle } from './plain-tls-handle.ts';
import { hasTlsHandles } from './tls-binding.ts';
import type { TlsHandle, TlsOwner, TlsSettings } from './tls-stream.ts';

/**
 * TLS on a connection whose handle is then used no more. `shared`: memory for reads that are worked off at once.
 * @throws Error where nothing can put TLS on such a handle
 */
export function secureHandle(
  raw: StreamHandle,
  settings: TlsSettings,
  owner: TlsOwner,
  shared: Buffer,
): TlsHandle {
  if (raw instanceof PlainHandle) return new PlainTlsHandle(raw, settings, owner);
  if (hasTlsHandles && 'isStreamBase' in raw) return new NativeTlsHandle(raw, settings, owner, shared);
  throw new Error('a connection of this kind cannot be secured');
}
