import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configStreamBindings, type StreamWorld } from '../../src/agent/effects/config-stream.ts';
import type { Resource } from '../../src/model/resource.ts';

/** Keys that the event of an update with these changes names; nothing else of its world is asked for. */
function named(upserts: readonly Resource[], removals: readonly string[] = []): readonly string[] {
  const { toEvent } = configStreamBindings({} as StreamWorld);
  const event = toEvent({
    type: 'update',
    nonce: 1,
    bytes: 1,
    changes: { base: '', version: 'v', upserts, removals },
  });
  return event.type === 'update.received' ? event.keys : assert.fail(event.type);
}

const resource = (kind: Resource['kind'], name: string) => ({ kind, value: { name } }) as Resource;
const many = (kind: Resource['kind'], count: number) =>
  Array.from({ length: count }, (_, index) => resource(kind, `default/${index}`));

test('an update names routes before what has actors, and never very many', () => {
  const keys = named(
    [...many('cluster', 40), resource('listener', 'default/web/http'), ...many('route', 20)],
    ['route/default/old'],
  );
  assert.equal(keys.length, 32);
  assert.deepEqual(keys.slice(0, 2), ['route/default/0', 'route/default/1']);
  assert.equal(keys[20], 'route/default/old');
  assert.ok(keys.slice(21).every((key) => key.startsWith('cluster/')));
  assert.equal(named(many('route', 10_000), ['route/default/old']).length, 32);
  assert.deepEqual(named([resource('listener', 'default/web/http')]), ['listener/default/web/http']);
});
