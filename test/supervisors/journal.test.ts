import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import { checksum, journalFiles, openJournalFile, readJournalFiles } from '../../src/os/journal-file.ts';
import { decodeJournal, decodeRecord, encodeRecord, FLUSH_MS, Journal } from '../../supervisors/journal.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { SteppingWorld } from './stepping-world.ts';

function record(seq: number, event: Record<string, unknown> = {}): JournalRecord {
  return {
    v: 1,
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
      const decoded = decodeRecord(line.slice(0, -1), checksum);
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.record, JSON.parse(JSON.stringify(before)));
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

test('records wait for at most the flush time; what happens to them meanwhile is in the line', () => {
  const world = new SteppingWorld();
  let written = '';
  const journal = new Journal({
    writer: {
      run: 1,
      write: (lines) => {
        written += lines;
      },
    },
    checksum,
    after: (ms, callback) => world.after(ms, callback),
  });
  const one = record(1, { secret: { toJSON: () => '<redacted>' } });
  journal.append(one);
  one.state = 'up';
  world.advance(FLUSH_MS - 1);
  assert.equal(written, '');
  world.advance(1);
  assert.match(written, /"state":"up"/);
  assert.match(written, /"secret":"<redacted>"/);
  journal.append(record(2));
  journal.flush();
  assert.equal(decodeJournal(written, checksum).records.length, 2);
  assert.equal(world.pending, 0);
});

test('a disk that fails does not stop the actors, and is said', () => {
  const journal = new Journal({
    writer: {
      run: 1,
      write: () => {
        throw new Error('ENOSPC');
      },
    },
    checksum,
    after: () => () => {},
  });
  journal.append(record(1));
  journal.flush();
  assert.equal(journal.failure?.message, 'ENOSPC');
});

test('the ring rotates by size, forgets the oldest, and a new life of the thread has a new run', (t) => {
  const path = directory(t);
  const options = { directory: path, thread: 'main', fileBytes: 1_000, totalBytes: 5_000 };
  const file = openJournalFile(options);
  assert.equal(file.run, 1);
  for (let seq = 1; seq <= 200; seq += 1) file.write(encodeRecord(record(seq), checksum));
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

test('threads do not touch each other’s files', (t) => {
  const path = directory(t);
  for (const thread of ['dataplane-1', 'dataplane-11', 'main'])
    openJournalFile({ directory: path, thread, fileBytes: 1, totalBytes: 1 }).close();
  assert.deepEqual(readdirSync(path).sort(), [
    'dataplane-1.000001.ndjson',
    'dataplane-11.000001.ndjson',
    'main.000001.ndjson',
  ]);
});
