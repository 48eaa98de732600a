import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters, StatusCounters } from '../../src/dataplane/counters.ts';
import type { CounterRegistration } from '../../src/model/metric.ts';

test('what is counted is in the memory, however often that grew while labels came up', () => {
  const memory = new SharedArrayBuffer(256, { maxByteLength: 1 << 20 });
  const registered: CounterRegistration[] = [];
  const counters = new Counters(memory, (registration) => registered.push(registration));
  const routes: StatusCounters[] = [];
  for (let route = 0; route < 500; route += 1) {
    routes.push(new StatusCounters(counters, 'request_count', { route: String(route) }));
    for (const status of [200, 404, 502]) for (const each of routes.slice(-2)) each.add(status);
  }
  const duration = counters.histogram('request_duration', {});
  counters.observe(duration, 3_600_000);
  assert.ok(memory.byteLength > 256 * 16, 'it has grown several times');
  const values = new Float64Array(memory);
  const count = new Map(
    registered.map(({ labels, index }) => [`${labels.route} ${labels.code}`, values[index]]),
  );
  for (let route = 0; route < 500; route += 1)
    for (const code of ['2xx', '4xx', '5xx'])
      assert.equal(count.get(`${route} ${code}`), route === 499 ? 1 : 2, `${route} ${code}`);
});
