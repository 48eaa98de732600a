import type { Listener } from '../../model/gateway.ts';
import type { ObjectFailure } from '../../model/snapshot.ts';

/** Failure reasons by the system's error code; those that may pass are in `TRANSIENT_FAILURES` of the rollout. */
const REASONS: Readonly<Record<string, readonly [reason: string, text: string]>> = {
  EADDRINUSE: ['AddressInUse', 'another program has the address'],
  EADDRNOTAVAIL: ['AddressNotAvailable', 'this machine does not have the address'],
  EACCES: ['PermissionDenied', 'the process may not bind the port'],
  EMFILE: ['TooManyOpenFiles', 'the process has too many files open'],
  ENFILE: ['TooManyOpenFiles', 'the machine has too many files open'],
  BUSY: ['ListenerBusy', 'the listener is being bound for another reason'],
};

/** Why a listener could not be bound, as its object's failure. */
export function bindFailure(
  listener: Listener,
  bind: string | undefined,
  code: string,
  message: string,
  event = '',
): ObjectFailure {
  const [reason, text] = REASONS[code] ?? ['BindFailed', message];
  return {
    key: `listener/${listener.name}`,
    reason,
    message: `port ${listener.port} on ${bind ?? 'all addresses'}: ${text}${code === '' ? '' : ` (${code})`}`,
    ...(event === '' ? {} : { event }),
  };
}
