import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderMetricsPage } from '../../src/observe/metrics-page.ts';

test('docs/metrics.md lists the metrics as they are defined', () => {
  const file = new URL('../../docs/metrics.md', import.meta.url);
  if (process.env.NOVAEDGE_GOLDEN === 'write') writeFileSync(file, renderMetricsPage());
  assert.equal(readFileSync(file, 'utf8'), renderMetricsPage());
});
