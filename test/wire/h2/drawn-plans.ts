import fc from 'fast-check';
import type { Plan } from './digest-client.ts';

/** Requests with bodies of drawn sizes. */
export function plans(size: fc.Arbitrary<number>): fc.Arbitrary<Plan> {
  return fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'HEAD'),
      up: size,
      upTrailer: fc.boolean(),
      down: size,
      downTrailer: fc.boolean(),
      cancelAt: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: size }),
    })
    .map((each) => (each.method === 'POST' ? each : { ...each, up: 0, upTrailer: false }));
}
