import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checksum, readJournalFiles } from '../../src/os/journal-file.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import { decodeJournal } from '../../supervisors/journal-line.ts';
import type { ActorStart, JournalRecord } from '../../supervisors/record.ts';
import {
  agent,
  busyPort,
  cluster,
  controller,
  everyWorker,
  FakeSource,
  freePort,
  get,
  listener,
  route,
  temporaryDirectory,
  until,
} from './harness.ts';

/** Feeds a thread's records to the same behaviors. Returns how many steps came out the same. */
function replay(records: readonly JournalRecord[]): number {
  const actors = new Map<string, { behavior: Behavior; snapshot: unknown }>();
  let same = 0;
  for (const record of records) {
    const key = `${record.run} ${record.actor}`;
    if (record.event.type === 'actor.stop') {
      actors.delete(key);
      continue;
    }
    if (record.outcome === 'undeliverable' || record.outcome === 'failed') continue;
    const start = record.event.type === 'actor.start' ? (record.event as ActorStart) : null;
    const actor = start === null ? actors.get(key)! : { behavior: BEHAVIORS[start.kind]!, snapshot: null };
    actors.set(key, actor);
    const step =
      start === null
        ? actor.behavior.receive(actor.snapshot, record.event)
        : actor.behavior.start(start.input);
    actor.snapshot = step.snapshot;
    assert.deepEqual(
      [step.state, step.reason, step.outcome, step.effects.map(({ type }) => type)],
      [record.state, record.reason, record.outcome, record.effects],
      `${record.actor} × ${record.event.type} (${record.thread}.${record.run}:${record.seq})`,
    );
    same += 1;
  }
  return same;
}

test('the journal of a run with changes, refusals and a killed worker replays without a difference', async (t) => {
  const directory = temporaryDirectory();
  const port = await freePort();
  const busy = await busyPort();
  const source = new FakeSource([listener('http', port), listener('busy', busy.port), cluster('backend')]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, directory);
  await until('ready', () => edge.admin.readiness().ready);
  source.change([route('a', 1), route('bad', 1), cluster('backend', 11)]);
  await until('changed', async () => (await get(port))?.routes[0] === 'test/a@1');
  await get(port, '/exit');
  await until('restarted', () => edge.admin.actorRestarts() > 0);
  await everyWorker(port);
  await busy.release();
  await everyWorker(busy.port);
  source.change([], ['listener/test/web/http', 'cluster/test/backend']);
  await until('refused', async () => (await get(port)) === null);
  await edge.stop();

  const journal = join(directory, 'journal');
  const threads = [...new Set(readdirSync(journal).map((name) => name.split('.')[0]!))].sort();
  assert.deepEqual(threads, ['dataplane-0', 'dataplane-1', 'main']);
  for (const thread of threads) {
    const { records, damage } = decodeJournal(readJournalFiles(journal, thread).join(''), checksum);
    assert.deepEqual(damage, []);
    assert.ok(replay(records) > 20);
    assert.ok(records.every((record) => record.outcome !== undefined));
    assert.deepEqual(
      records.filter(
        ({ outcome }) => outcome === 'unexpected' || outcome === 'failed' || outcome === 'overflow',
      ),
      [],
    );
  }
});
