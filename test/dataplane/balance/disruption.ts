import type { HashPolicy } from '../../../src/dataplane/balance/hash-table.ts';
import { hashText } from '../../../src/dataplane/balance/xxhash32.ts';
import { equal, hashed, updated } from './targets.ts';

const KEYS = 50_000;

/** Shares of the keys that get another target when one is added to `count`, and when one of `count` goes. */
export function moved(
  policy: HashPolicy,
  count: number,
): { readonly added: number; readonly removed: number } {
  const all = equal(count + 1);
  const owners = (present: typeof all) => {
    const balancer = updated(hashed(policy), present);
    return Array.from({ length: KEYS }, (_, key) => balancer.pick(null, hashText(`client ${key}`))!.id);
  };
  const before = owners(all.slice(0, count));
  const share = (after: readonly string[]) =>
    after.filter((owner, key) => owner !== before[key]).length / KEYS;
  const added = share(owners(all));
  const removed = share(owners(all.slice(0, count).filter((_, index) => index !== count >> 1)));
  return { added, removed };
}
