import { NEVER_FORWARDED } from '../../wire/http1/field-name.ts';
import { HEAD_DONE, HeadParser, RESPONSE_HEADS } from '../../wire/http1/head-parser.ts';
import { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { switchedFields, UPGRADE_ONLY } from '../../wire/websocket/opening-handshake.ts';

/**
 * The answer to an extended CONNECT that was taken (RFC 8441 section 5) as HTTP/1.1 says it: with the proof that the
 * other side has understood `key`, which HTTP/2 does without.
 */
export function switchingHead(head: MessageHead, key: string): HeadParser {
  const writer = new MessageWriter(head.length + head.fieldCount * 4 + 1024);
  writer.latin1(`HTTP/1.1 101 Switching Protocols\r\n${switchedFields(key)}`);
  writer.fields(head, NEVER_FORWARDED, (name) => UPGRADE_ONLY.has(name));
  writer.endHead();
  const parser = new HeadParser('response', RESPONSE_HEADS);
  if (parser.parse(writer.block, 0, writer.length) !== HEAD_DONE)
    throw new Error(`an answer of ours to a websocket is not well-formed: ${parser.fault}`);
  return parser;
}
