import { PING_BYTES } from './frame.ts';

/** By which the answers to our own pings are told apart. */
export const OUR_PING = Buffer.from('novaedge', 'latin1');
export const DRAIN_PING = Buffer.from('draining', 'latin1');

export function isPayload(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < PING_BYTES; at += 1) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}
