import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PersistentMap } from '../../supervisors/persistent-map.ts';

test('each version stays as it was, whichever is changed or read, in any order', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ from: fc.nat(1_000), key: fc.nat(6), value: fc.option(fc.nat(9)), read: fc.nat(1_000) }),
        {
          maxLength: 60,
        },
      ),
      (moves) => {
        // Beside each version a whole copy of what it must hold.
        const versions = [{ map: PersistentMap.of<number, number>(), copy: new Map<number, number>() }];
        const check = ({ map, copy }: (typeof versions)[number]) => {
          assert.deepEqual(new Map(map.entries()), copy);
          assert.equal(map.size, copy.size);
        };
        for (const { from, key, value, read } of moves) {
          const { map, copy } = versions[from % versions.length]!;
          const next = new Map(copy);
          if (value === null) next.delete(key);
          else next.set(key, value);
          versions.push({ map: value === null ? map.without(key) : map.with(key, value), copy: next });
          check(versions[read % versions.length]!);
        }
        for (const version of versions) check(version);
      },
    ),
  );
});
