import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import { checksum, journalFiles, openJournalFile, readJournalFiles } from '../../src/os/journal-file.ts';
import type { JournalTrouble, JournalWriter } from '../../supervisors/journal.ts';
import { FLUSH_MS, Journal } from '../../supervisors/journal.ts';
import { decodeJournal, encodeOutcome, encodeRecord } from '../../supervisors/journal-line.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { SteppingWorld } from './stepping-world.ts';

function record(seq: number, event: Record<string, unknown> = {}): JournalRecord {
  return {
    v: 2,
    run: 1,
    seq,
    mono: seq / 3,
    wall: 1_700_000_000_000 + seq,
    thread: 'main',
    actor: 'n/main/listener/a',
    from: 'n/main/world',
    cause: '',
    event: { type: 'happened', ...event },
  };
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'novaedge-journal-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a record is one line that comes back as it was', () => {
  fc.assert(
    fc.property(fc.nat(), fc.dictionary(fc.string(), fc.jsonValue()), (seq, event) => {
      const before = record(seq, event);
      const line = encodeRecord(before, checksum);
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.equal(typeof JSON.parse(line), 'object');
      const { records, damage } = decodeJournal(line, checksum);
      assert.deepEqual(damage, []);
      assert.deepEqual(records, [JSON.parse(JSON.stringify(before))]);
    }),
  );
});

test('a journal cut at any byte gives every whole record and names the torn one', () => {
  const lines = [1, 2, 3].map((seq) => encodeRecord(record(seq), checksum));
  const text = lines.join('');
  for (let cut = 0; cut <= text.length; cut += 1) {
    const { records, damage } = decodeJournal(text.slice(0, cut), checksum);
    let whole = 0;
    let at = 0;
    // A record that lacks only its newline is whole.
    while (whole < 3 && at + lines[whole]!.length - 1 <= cut) at += lines[whole++]!.length;
    assert.deepEqual(
      records.map(({ seq }) => seq),
      [1, 2, 3].slice(0, whole),
    );
    assert.deepEqual(damage, cut > at ? [{ line: whole + 1, reason: 'torn' }] : []);
  }
});

test('a flipped byte anywhere is noticed, and costs one record', () => {
  const lines = [1, 2, 3].map((seq) => encodeRecord(record(seq), checksum));
  for (let at = 0; at < lines[1]!.length - 1; at += 1) {
    const broken = `${lines[1]!.slice(0, at)}${lines[1]![at] === 'x' ? 'y' : 'x'}${lines[1]!.slice(at + 1)}`;
    const { records, damage } = decodeJournal(lines[0]! + broken + lines[2]!, checksum);
    assert.deepEqual(
      records.map(({ seq }) => seq),
      [1, 3],
    );
    assert.equal(damage[0]!.line, 2);
  }
});

/** A journal whose lines the test reads, and whose disk it breaks. */
function journalOn(world: SteppingWorld, checkpoint?: (most: number) => boolean) {
  const disk = { files: [''], full: false };
  const troubles: JournalTrouble[] = [];
  const writer: JournalWriter = {
    run: 1,
    write(lines) {
      if (disk.full) throw new Error('ENOSPC: no space left on device');
      disk.files[disk.files.length - 1] += lines;
    },
    isFull: (checkpointBytes) => disk.files.at(-1)!.length > Math.max(2_000, 2 * checkpointBytes),
    next: () => void disk.files.push(''),
  };
  const journal = new Journal({
    writer,
    checksum,
    now: () => world.now(),
    after: (ms, callback) => world.after(ms, callback),
    onTrouble: (trouble) => void troubles.push(trouble),
    ...(checkpoint === undefined ? {} : { checkpoint }),
  });
  const written = () => decodeJournal(disk.files.join(''), checksum);
  return { journal, disk, troubles, written };
}

test('after a quiet time a record is on the disk before it is processed, and its outcome follows', () => {
  const world = new SteppingWorld();
  const { journal, disk, written } = journalOn(world);
  const one = record(1, { secret: { toJSON: () => '<redacted>' } });
  journal.append(one);
  assert.deepEqual(written().records, [JSON.parse(JSON.stringify(one))]);
  assert.match(disk.files[0]!, /"secret":"<redacted>"/);
  one.state = 'up';
  one.outcome = 'taken';
  world.advance(FLUSH_MS);
  const [after] = written().records;
  assert.deepEqual([after!.state, after!.outcome], ['up', 'taken']);
  assert.equal(disk.files[0]!.split('\n').length, 3);
  assert.equal(world.pending, 0);
});

test('a burst is written together, at most the flush time late', () => {
  const world = new SteppingWorld();
  const { journal, written } = journalOn(world);
  const records = [1, 2, 3, 4].map((seq) => record(seq));
  journal.append(records[0]!);
  for (const each of records.slice(1)) {
    world.advance(1);
    journal.append(each);
  }
  assert.equal(written().records.length, 1);
  world.advance(FLUSH_MS - 4);
  assert.equal(written().records.length, 1);
  world.advance(1);
  assert.equal(written().records.length, 4);
  journal.append(record(5));
  journal.flush();
  assert.equal(written().records.length, 5);
  assert.equal(world.pending, 0);
});

test('an outcome without its record is named, and one torn off leaves the record unfinished', () => {
  const first = record(1);
  const done: JournalRecord = { ...first, state: 'up', reason: 'r', outcome: 'taken', effects: [] };
  const text = encodeRecord(first, checksum) + encodeOutcome(done, checksum);
  assert.deepEqual(decodeJournal(text, checksum).records, [done]);
  const torn = decodeJournal(text.slice(0, -5), checksum);
  assert.deepEqual(torn.records, [first]);
  assert.deepEqual(torn.damage, [{ line: 2, reason: 'torn' }]);
  const orphan = decodeJournal(encodeOutcome(done, checksum), checksum);
  assert.deepEqual(orphan, { records: [], damage: [{ line: 1, reason: 'orphan' }] });
});

test('a disk that fails does not stop the actors; it is said once, and the loss stands in the journal', () => {
  const world = new SteppingWorld();
  const { journal, disk, troubles, written } = journalOn(world);
  const append = (seq: number) => {
    journal.beforeEvent();
    const one = record(seq);
    journal.append(one);
    one.outcome = 'taken';
    world.advance(FLUSH_MS);
  };
  append(1);
  disk.full = true;
  const before = journal.part;
  for (let seq = 2; seq <= 200; seq += 1) append(seq);
  assert.match(journal.failure!, /ENOSPC/);
  assert.equal(journal.part, before);
  disk.full = false;
  world.advance(2_000);
  assert.equal(journal.failure, null);
  // What is there must be known anew from here on.
  assert.equal(journal.part, before + 1);
  append(201);
  assert.deepEqual(
    troubles.map(({ type }) => type),
    ['failing', 'resumed'],
  );
  const { records, damage } = written();
  assert.deepEqual(damage, []);
  assert.deepEqual(
    records.map(({ seq, event }) => [seq, event.type]),
    [
      [1, 'happened'],
      [200, 'journal.gap'],
      [201, 'happened'],
    ],
  );
  assert.equal((records[1]!.event as { lost?: number }).lost, 199);
});

test('a full disk, as the system reports it, costs what was written to it and no more', (t) => {
  const path = directory(t);
  const world = new SteppingWorld();
  const file = openJournalFile({ directory: path, thread: 'main', fileBytes: 300, totalBytes: 100_000 });
  const messages: string[] = [];
  const journal = new Journal({
    writer: file,
    checksum,
    now: () => world.now(),
    after: (ms, callback) => world.after(ms, callback),
    onTrouble: ({ message }) => void messages.push(message),
  });
  const append = (from: number, to: number) => {
    for (let seq = from; seq <= to; seq += 1) {
      journal.beforeEvent();
      const one = record(seq);
      journal.append(one);
      one.outcome = 'taken';
      world.advance(FLUSH_MS);
    }
  };
  // What is written to the second file goes to a device that is always full.
  const second = join(path, 'main.000002.ndjson');
  symlinkSync('/dev/full', second);
  append(1, 20);
  assert.match(journal.failure!, /ENOSPC/);
  assert.deepEqual(readdirSync(path), ['main.000001.ndjson', 'main.000002.ndjson']);
  unlinkSync(second);
  world.advance(2_000);
  assert.equal(journal.failure, null);
  append(21, 22);
  journal.flush();
  file.close();
  assert.deepEqual([...new Set(messages)], ['ENOSPC: no space left on device, write']);
  const { records, damage } = decodeJournal(readJournalFiles(path, 'main').join(''), checksum);
  assert.deepEqual(damage, []);
  const gap = records.findIndex(({ event }) => event.type === 'journal.gap');
  assert.deepEqual(
    records.map(({ seq }) => seq),
    [...Array.from({ length: gap }, (_, index) => index + 1), 20, 21, 22],
  );
  assert.equal((records[gap]!.event as { lost?: number }).lost, 20 - gap);
});

test('a new file begins between two events, and checkpoints are asked for few by few until none is left', () => {
  const world = new SteppingWorld();
  let left = 500;
  const asked: number[] = [];
  const { journal, disk } = journalOn(world, (most) => {
    asked.push(most);
    left = Math.max(0, left - most);
    return left > 0;
  });
  let seq = 0;
  while (journal.part === 1) {
    seq += 1;
    journal.beforeEvent();
    const open = record(seq);
    journal.append(open);
    // An event within an event, as a kill is: its outcome must find the file that has its record.
    const part = journal.part;
    journal.beforeEvent();
    assert.equal(journal.part, part);
    open.outcome = 'taken';
  }
  assert.equal(disk.files.length, 2);
  world.advance(FLUSH_MS * 10);
  assert.equal(left, 0);
  assert.ok(asked.every((most) => most <= 128));
  assert.equal(world.pending, 0);
});

test('the ring rotates by size, forgets the oldest, and a new life of the thread has a new run', (t) => {
  const path = directory(t);
  const options = { directory: path, thread: 'main', fileBytes: 1_000, totalBytes: 5_000 };
  const file = openJournalFile(options);
  assert.equal(file.run, 1);
  for (let seq = 1; seq <= 200; seq += 1) {
    if (file.isFull(0)) file.next(0);
    file.write(encodeRecord(record(seq), checksum));
  }
  file.close();
  const files = journalFiles(path, 'main');
  const total = files.reduce((sum, one) => sum + one.bytes, 0);
  assert.ok(total <= 5_000 + 1_500, `${total} bytes`);
  assert.ok(files.length > 2);
  const { records, damage } = decodeJournal(readJournalFiles(path, 'main').join(''), checksum);
  assert.deepEqual(damage, []);
  assert.equal(records.at(-1)!.seq, 200);
  for (const [index, one] of records.entries()) assert.equal(one.seq, records[0]!.seq + index);

  appendFileSync(files.at(-1)!.path, '{"v":1,"torn');
  const next = openJournalFile(options);
  assert.ok(next.run > files.at(-1)!.number);
  next.write(encodeRecord(record(1), checksum));
  next.close();
  const again = decodeJournal(readJournalFiles(path, 'main').join('\n'), checksum);
  assert.equal(again.records.at(-1)!.seq, 1);
});

test('checkpoints never fill a file, nor the ring', (t) => {
  const path = directory(t);
  const file = openJournalFile({ directory: path, thread: 'main', fileBytes: 1_000, totalBytes: 5_000 });
  const lines = 'x'.repeat(3_999);
  for (let part = 0; part < 10; part += 1) {
    // 8,000 bytes of checkpoints and as many of events, four times what the ring should hold.
    for (let count = 0; count < 4; count += 1) {
      assert.equal(file.isFull(8_000), false);
      file.write(`${lines}\n`);
    }
    file.write('more\n');
    assert.equal(file.isFull(8_000), true);
    file.next(8_000);
  }
  file.write('last\n');
  file.close();
  const files = journalFiles(path, 'main');
  assert.ok(files.length >= 2 && files.length <= 4, `${files.length} files`);
});

test('a file is made with its first line', (t) => {
  const path = directory(t);
  const file = openJournalFile({ directory: join(path, 'fresh'), thread: 'a', fileBytes: 1, totalBytes: 1 });
  assert.deepEqual(readdirSync(path), []);
  file.write('one\n');
  file.close();
  assert.deepEqual(readdirSync(join(path, 'fresh')), ['a.000001.ndjson']);
});

test('threads do not touch each other’s files', (t) => {
  const path = directory(t);
  for (const thread of ['dataplane-1', 'dataplane-11', 'main']) {
    const file = openJournalFile({ directory: path, thread, fileBytes: 1, totalBytes: 1 });
    file.write(encodeRecord(record(1), checksum));
    file.close();
  }
  assert.deepEqual(readdirSync(path).sort(), [
    'dataplane-1.000001.ndjson',
    'dataplane-11.000001.ndjson',
    'main.000001.ndjson',
  ]);
});
