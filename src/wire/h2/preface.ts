import { PREFACE } from './frame.ts';

/** Whether `bytes[start, end)` is how a client's HTTP/2 connection begins, as far as it goes (RFC 9113 section 3.4). */
export function beginsPreface(bytes: Uint8Array, start: number, end: number): boolean {
  const most = Math.min(end - start, PREFACE.length);
  for (let at = 0; at < most; at += 1) if (bytes[start + at] !== PREFACE[at]) return false;
  return true;
}
