import { createHash } from 'node:crypto';

/*
 * The opening handshake in its two forms, and what becomes of one where the other is spoken behind the proxy:
 *
 *     HTTP/1.1 (RFC 6455 section 4)             HTTP/2 (RFC 8441 section 5)
 *     GET /chat HTTP/1.1                        :method CONNECT, :protocol websocket, :path /chat
 *     Connection: Upgrade, Upgrade: websocket   -
 *     Sec-WebSocket-Key: 16 bytes in base64     -                       made anew by upgradeFields, or taken away
 *     Sec-WebSocket-Version, -Protocol, -Extensions, Origin             the same in both
 *
 *     HTTP/1.1 101 Switching Protocols          :status 200
 *     Sec-WebSocket-Accept: of the key          -                       checked by isAccepted, or said by switchedFields
 *     any other status                          the same, an answer like others
 */

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Base64 of 16 bytes: the last of its 22 digits holds four bits that are 0 (RFC 4648 section 3.5). */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** The `:protocol` of RFC 8441, and the token of Upgrade, in lower case. */
export const WEBSOCKET = 'websocket';

/** Fields of the handshake over HTTP/1.1 alone; lower case. */
export const UPGRADE_ONLY: ReadonlySet<string> = new Set(['sec-websocket-key', 'sec-websocket-accept']);

/** What is read of a head: all values of a field, joined by `, `; null where it has none. */
export interface HandshakeHead {
  combined(name: string): string | null;
}

/** Whether an Upgrade field names WebSocket, and nothing else. */
export function isWebSocket(upgrade: string): boolean {
  return upgrade.length === WEBSOCKET.length && upgrade.toLowerCase() === WEBSOCKET;
}

/** Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2, item 5.4). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(key).update(GUID).digest('base64');
}

/** A key (RFC 6455 section 4.1, item 7); `random` fills four words. It keeps caches apart, and is no secret. */
export function newKey(random: (target: Uint32Array<ArrayBuffer>) => void): string {
  const words = new Uint32Array(4);
  random(words);
  return Buffer.from(words.buffer).toString('base64');
}

/**
 * What is wrong with a client's request to upgrade, for a backend that will never see its key (RFC 6455 section
 * 4.2.1); null: nothing. The version is the backend's to judge: it answers with those it knows.
 */
export function upgradeFault(head: HandshakeHead): 'missing_websocket_key' | 'invalid_websocket_key' | null {
  const key = head.combined('sec-websocket-key');
  if (key === null) return 'missing_websocket_key';
  return KEY.test(key) ? null : 'invalid_websocket_key';
}

/** Extended CONNECT as HTTP/1.1 wants it: the lines that a GET gets beside the client's own fields without UPGRADE_ONLY. */
export function upgradeFields(key: string): string {
  return `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n`;
}

/**
 * Whether a 101 may become the 200 of an extended CONNECT (RFC 6455 section 4.1, items 2 to 4 of the answer): it
 * switches to WebSocket and has understood this very handshake. Otherwise the backend is at fault (502).
 */
export function isAccepted(head: HandshakeHead, key: string): boolean {
  return (
    isWebSocket(head.combined('upgrade') ?? '') && head.combined('sec-websocket-accept') === acceptKey(key)
  );
}

/** A 200 to an extended CONNECT as HTTP/1.1 wants it: the lines of the 101 for the client's own key. */
export function switchedFields(clientKey: string): string {
  return `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${acceptKey(clientKey)}\r\n`;
}
