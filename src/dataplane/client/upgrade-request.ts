import type { MessageHead } from '../../wire/message/message-head.ts';
import {
  isAccepted,
  isWebSocket,
  newKey,
  UPGRADE_ONLY,
  upgradeFields,
} from '../../wire/websocket/opening-handshake.ts';
import type { Context } from '../context.ts';
import { isHttp2Upgrade } from './request-head.ts';

/**
 * What a request asks its connection to be upgraded to: by Upgrade (RFC 9110 section 7.8), or by extended CONNECT
 * (RFC 8441), which an HTTP/1.1 backend gets as an Upgrade with a key of our own.
 */
export class UpgradeRequest {
  /** Protocols, as a list; empty: none. */
  asked = '';
  /** What an HTTP/1.1 backend is told, as lines. */
  lines = '';
  /** Sec-WebSocket-Key of the request as an HTTP/1.1 backend gets it; empty where it has none. */
  key = '';
  #isMade = false;

  reset(): void {
    if (this.asked === '') return;
    this.asked = '';
    this.lines = '';
    this.key = '';
    this.#isMade = false;
  }

  /** Of a request by Upgrade without a body. */
  read(head: MessageHead): void {
    if (isHttp2Upgrade(head)) return;
    const asked = head.combined('upgrade')!;
    this.asked = asked;
    this.lines = `Connection: Upgrade\r\nUpgrade: ${asked}\r\n`;
    if (isWebSocket(asked)) this.key = head.combined('sec-websocket-key') ?? '';
  }

  /** Of an extended CONNECT for a WebSocket. */
  make(head: MessageHead, context: Context): void {
    this.asked = head.protocol;
    this.key = newKey(context.system.randomBits);
    this.lines = upgradeFields(this.key);
    this.#isMade = true;
  }

  /** Fields of the handshake that are not the client's to say. */
  get dropped(): ReadonlySet<string> | null {
    return this.#isMade ? UPGRADE_ONLY : null;
  }

  /** What the backend has switched to is what it was asked for by us; a client checks by itself what it has asked for. */
  isAnswered(answer: MessageHead): boolean {
    return !this.#isMade || answer.version === 20 || isAccepted(answer, this.key);
  }
}
