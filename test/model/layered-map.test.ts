import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LayeredMap } from '../../src/model/layered-map.ts';

describe('LayeredMap', () => {
  it('is what a copied Map would be, and never changes', () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.option(fc.nat(), { nil: null })), { maxLength: 120 });
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (steps) => {
        let layered = LayeredMap.empty<number, number>();
        let plain: ReadonlyMap<number, number> = new Map();
        const history: [LayeredMap<number, number>, ReadonlyMap<number, number>][] = [];
        for (const step of steps) {
          layered = layered.with(new Map(step));
          const next = new Map(plain);
          for (const [key, value] of new Map(step)) {
            if (value === null) next.delete(key);
            else next.set(key, value);
          }
          plain = next;
          history.push([layered, plain]);
        }
        for (const [one, other] of history) {
          assert.equal(one.size, other.size);
          assert.deepEqual(new Map(one), other);
          assert.deepEqual([...one.keys()].sort(), [...other.keys()].sort());
          assert.deepEqual([...one.values()].sort(), [...other.values()].sort());
          for (let key = 0; key <= 200; key += 1) {
            assert.equal(one.get(key), other.get(key));
            assert.equal(one.has(key), other.has(key));
          }
          const seen: number[] = [];
          one.forEach((_value, key) => {
            seen.push(key);
          });
          assert.equal(new Set(seen).size, other.size);
        }
      }),
      { numRuns: 100 },
    );
  });
});
