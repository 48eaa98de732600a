import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/config/pipeline.ts';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';

test('what docs/requests.md shows as the defaults of a listener are the defaults', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/requests.md', import.meta.url)), 'utf8');
  const text = /```yaml\n(.*?)```/s.exec(page)![1]!;
  // Something else for each value would be seen: what is left out is filled in from the same defaults.
  for (const field of ['escapedSlashes', 'underscores', 'bodyBytes', 'tunnelIdle'])
    assert.match(text, new RegExp(field));
  const build = new Pipeline({ now: () => 0 }).apply({
    upserts: [{ type: 'text', id: 'requests.yaml', text }],
    removals: [],
  });
  assert.deepEqual(build.problems, []);
  const listener = build.resources.get('listener/default/strict/http');
  assert.equal(listener?.kind, 'listener');
  assert.deepEqual(listener.value.http, HTTP_DEFAULTS);
  // And every setting there is stands on the page.
  const { path, limits, http2 } = HTTP_DEFAULTS;
  const names = [...Object.keys(path), ...Object.keys(limits), ...Object.keys(http2)];
  for (const name of [...names, 'header', 'bodyIdle', 'request', 'idle', 'write', 'tunnelIdle'])
    assert.match(text, new RegExp(`\\b${name}:`));
});
