import type { MessageHead } from '../../wire/message/message-head.ts';

/** Methods are case-sensitive (RFC 9110 section 9.1); the common ones are not made into new strings. */
export function methodOf(head: MessageHead): string {
  const bytes = head.bytes;
  const at = head.base + head.methodStart;
  const length = head.methodEnd - head.methodStart;
  if (length === 3) {
    if (bytes[at] === 71 && bytes[at + 1] === 69 && bytes[at + 2] === 84) return 'GET';
    if (bytes[at] === 80 && bytes[at + 1] === 85 && bytes[at + 2] === 84) return 'PUT';
  } else if (length === 4) {
    if (bytes[at] === 80 && bytes[at + 1] === 79 && bytes[at + 2] === 83 && bytes[at + 3] === 84)
      return 'POST';
    if (bytes[at] === 72 && bytes[at + 1] === 69 && bytes[at + 2] === 65 && bytes[at + 3] === 68)
      return 'HEAD';
  }
  return head.text(head.methodStart, head.methodEnd);
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** RFC 9110 section 9.2.2. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

const WITHOUT_CONTENT = new Set(['GET', 'HEAD', 'DELETE', 'TRACE']);

/** RFC 9110 section 9.3: whether the method says what a body means; servers may leave one unread that it does not. */
export function definesContent(method: string): boolean {
  return !WITHOUT_CONTENT.has(method);
}
