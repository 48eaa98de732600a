import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { MessageHead } from '../../../src/wire/message/message-head.ts';

/** Takes what a decoder says as it comes: a test of HPACK alone, whatever HTTP thinks of the fields. */
export class RecordingBlock extends HeaderBlock {
  list: string[] = [];
  never: boolean[] = [];

  clear(): void {
    this.reset(HTTP_DEFAULTS);
    this.list = [];
    this.never = [];
  }

  override add(_kind: number, nameLength: number, valueLength: number, never: boolean): void {
    this.list.push(this.text(this.end, this.end + nameLength + 2 + valueLength));
    this.never.push(never);
  }
}

/** The fields of a head as `name: value`. */
export function listOf(head: MessageHead): string[] {
  return Array.from({ length: head.fieldCount }, (_, field) => `${head.name(field)}: ${head.value(field)}`);
}
