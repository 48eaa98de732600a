import type { HeadSettings } from '../http1/head-parser.ts';
import { type HeadRole, MessageHead } from '../message/message-head.ts';
export class HeaderBlock extends MessageHead {
  protocol = '';
  reset(_settings: HeadSettings): void {}
  conclude(_role: HeadRole, _ended: boolean): void {}
}
