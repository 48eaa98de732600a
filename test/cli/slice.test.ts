import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { readJournals } from '../../src/cli/replay/journal-reader.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { slice } from '../../src/cli/replay/slice.ts';
import { checksum } from '../../src/os/journal-file.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import { decodeJournal, encodeRecord } from '../../supervisors/journal-line.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { recordId } from '../../supervisors/record.ts';
import { execute } from '../e2e/harness.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const recordings = join(root, 'simulations/recordings');
const whole: JournalRecord[][] = [];

before(async () => {
  for (const name of readdirSync(recordings))
    whole.push([...(await readJournals([join(recordings, name)])).records]);
});

function replay(records: readonly JournalRecord[]): Replayer {
  const replayer = new Replayer(BEHAVIORS);
  for (const record of records) replayer.feed(record);
  return replayer;
}

const wanted = () => true;

test('a slice cut anywhere replays by itself and ends where the whole ends', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (which, one, other) => {
      const records = whole[which % whole.length]!;
      const [from, to] = [one % records.length, other % (records.length + 1)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const cut = slice(records, BEHAVIORS, { from, to, wanted });
      const text = cut.map((record) => encodeRecord(record, checksum)).join('');
      const { records: read, damage } = decodeJournal(text, checksum);
      assert.deepEqual(damage, []);
      const rest = replay(read);
      assert.deepEqual(rest.differences, []);
      assert.deepEqual([rest.uncompared, rest.missing, rest.older], [0, 0, 0]);
      const shown = (replayer: Replayer) => replayer.actors().map(({ events: _counted, ...actor }) => actor);
      assert.deepEqual(shown(rest), shown(replay(records.slice(0, to))));
    }),
    { numRuns: 200 },
  );
});

test('a slice of some actors has their events alone, with the ids that they had', () => {
  const records = whole[0]!;
  const rollout = (address: string) => address.endsWith('/rollout');
  const cut = slice(records, BEHAVIORS, { from: 100, to: records.length, wanted: rollout });
  const expected = records.slice(100).filter(({ actor }) => rollout(actor));
  assert.deepEqual(cut.filter(({ seq }) => seq > 0).map(recordId), expected.map(recordId));
  const { compared, uncompared, differences } = replay(cut);
  assert.deepEqual([compared, uncompared, differences], [expected.length, 0, []]);
});

test('one command makes a slice a recording; a name that is taken, or nothing to compare, is refused', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-record-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [source] = readdirSync(recordings).map((name) => join(recordings, name));
  const record = (...more: string[]) =>
    execute(process.execPath, ['simulations/record.ts', ...more, '--out', directory]);
  const middle = recordId(whole[0]![60]!);
  const made = await record('sliced', source!, '--from', middle);
  assert.equal(made.code, 0, made.stderr);
  const { records } = await readJournals([join(directory, 'sliced.ndjson')]);
  assert.deepEqual(replay(records).differences, []);
  assert.ok(!records.some((one) => recordId(one) === middle));
  const again = await record('sliced', source!);
  assert.deepEqual([again.code, /there already/.test(again.stderr)], [1, true]);
  const nothing = await record('nothing', source!, '--actor', 'listener/none/such');
  assert.deepEqual([nothing.code, /could be compared/.test(nothing.stderr)], [1, true]);
  const wrong = await record('Wrong Name', source!);
  assert.deepEqual([wrong.code, /is not a name/.test(wrong.stderr)], [2, true]);
});
