import assert from 'node:assert/strict';
import type { Harness } from './harness.ts';

type Method = (...given: unknown[]) => unknown;

/** Makes the `nth` call of a method throw, before or after it has done its work. Returns how to undo that. */
export function inject(prototype: object, name: string, nth: number, after: boolean): () => boolean {
  const holder = prototype as Record<string, Method>;
  const original = holder[name]!;
  let calls = 0;
  let thrown = false;
  holder[name] = function (this: unknown, ...given: unknown[]): unknown {
    calls += 1;
    const now = calls === nth;
    if (now) thrown = true;
    if (now && !after) throw new TypeError(`injected into ${name}`);
    const result = original.apply(this, given);
    if (now) throw new TypeError(`injected after ${name}`);
    return result;
  };
  return () => {
    holder[name] = original;
    return thrown;
  };
}

/** Resolves when nobody is connected or waits any more. */
export async function settled(harness: Harness, what: string): Promise<void> {
  const gauges = ['open_connections', 'active_connections', 'upstream_pending_requests'] as const;
  for (let turn = 0; turn < 2000; turn += 1) {
    if (gauges.every((gauge) => harness.count(gauge) === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`${what}: ${gauges.map((gauge) => `${gauge} ${harness.count(gauge)}`).join(', ')}`);
}
