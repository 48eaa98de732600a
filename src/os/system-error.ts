import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

/** libuv's number for the end of a stream, the same on every platform. */
export const END_OF_STREAM = -4095;

/** `ECONNRESET` and the like for a negative number of the system. */
export function errorCode(status: number): string {
  try {
    return getSystemErrorName(status);
  } catch {
    return 'UNKNOWN';
  }
}

/** As the runtime's own: `message` says what was tried, `code` is the system's. */
export function systemError(status: number, call: string, where: string): NodeJS.ErrnoException {
  const code = errorCode(status);
  const message = `${call} ${code}: ${getSystemErrorMessage(status) ?? 'unknown error'} ${where}`;
  return Object.assign(new Error(message), { code, errno: status, syscall: call });
}
