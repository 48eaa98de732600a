import type { Checker } from './checker.ts';

/** No actor gets an event that its state does not list, no actor fails by an exception, no mailbox overflows. */
export function expectations(): Checker {
  return {
    name: 'no unexpected event',
    always({ notices }) {
      const notice = notices.find(({ type }) => type !== 'undeliverable');
      if (notice === undefined) {
        notices.length = 0;
        return null;
      }
      return `${notice.type}: ${notice.event} to ${notice.actor} in state ${notice.state} (${notice.id}): ${notice.message.split('\n', 4).join(' ')}`;
    },
  };
}
