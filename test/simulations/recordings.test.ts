import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readJournals } from '../../src/cli/replay/journal-reader.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';

const directory = fileURLToPath(new URL('../../simulations/recordings', import.meta.url));
const recordings = readdirSync(directory).filter((name) => name.endsWith('.ndjson'));

test('there are recordings', () => assert.notEqual(recordings.length, 0));

for (const name of recordings)
  test(`the recording ${name} replays as it ran`, async () => {
    const { records, damage } = await readJournals([join(directory, name)]);
    assert.deepEqual(damage, []);
    const replayer = new Replayer(BEHAVIORS);
    for (const record of records) replayer.feed(record);
    assert.deepEqual(replayer.differences, []);
    assert.equal(replayer.uncompared, 0);
    assert.ok(replayer.compared > 0);
  });
