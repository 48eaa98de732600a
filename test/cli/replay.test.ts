import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { readJournals } from '../../src/cli/replay/journal-reader.ts';
import { recordsUntil } from '../../src/cli/replay/moment.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { checksum, openJournalFile } from '../../src/os/journal-file.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import { Journal } from '../../supervisors/journal.ts';
import { decodeJournal, encodeRecord } from '../../supervisors/journal-line.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { novactl } from './run.ts';

const BREAKER = 'edge-1/dataplane-0/circuit-breaker/default/api';
const STREAM = 'edge-1/dataplane-0/config-stream';

/** Writes what a real actor system does into files; some of it fails on purpose. */
function record(directory: string, fileBytes = 1_000_000): void {
  const file = openJournalFile({ directory, thread: 'dataplane-0', fileBytes, totalBytes: 10_000_000 });
  let now = 0;
  const world = {
    now: () => now,
    wallClock: () => 1_700_000_000_000 + now,
    draw: () => 0.5,
    after: () => () => {},
  };
  const later: (() => void)[] = [];
  const journal = new Journal({
    writer: file,
    checksum,
    // Stands still: each record is written with its outcome by `flush`, but for the first.
    now: () => 0,
    after: (_ms, callback) => {
      later.push(callback);
      return () => {};
    },
    checkpoint: (most) => system.checkpoint(most),
  });
  const system: ActorSystem = new ActorSystem({
    node: 'edge-1',
    thread: 'dataplane-0',
    world,
    behaviors: BEHAVIORS,
    bindings: {
      'config-stream': {
        connect: () => undefined,
        sendReport: () => {
          throw new Error('the report cannot be made');
        },
      },
    },
    journal,
    onNotice: () => {},
    forward: () => {},
  });
  const send = (to: string, event: { type: string; [field: string]: unknown }) => {
    now += 100;
    system.send(to, event);
    journal.flush();
    for (const callback of later.splice(0)) callback();
  };
  system.start({
    address: BREAKER,
    kind: 'circuit-breaker',
    parent: null,
    input: { cluster: 'default/api' },
  });
  send(BREAKER, { type: 'limit.reached', limit: 'maxConnections' });
  send(BREAKER, { type: 'limit.reached', limit: 'maxPendingRequests' });
  send(BREAKER, { type: 'limit.cleared', limit: 'maxConnections' });
  send(BREAKER, { type: 'what is this' });
  send('edge-1/dataplane-0/circuit-breaker/nobody', { type: 'stop' });
  const input = { connectTimeoutMs: 10, reportIntervalMs: 10 };
  system.start({ address: STREAM, kind: 'config-stream', parent: null, input });
  send(STREAM, { type: 'connected' });
  system.start({ address: STREAM, kind: 'config-stream', parent: null, input });
  send(STREAM, { type: 'disconnected', reason: 'gone', draw: 0.25 });
  system.kill(STREAM);
  send(BREAKER, { type: 'limit.cleared', limit: 'maxPendingRequests' });
  file.close();
}

function replay(
  records: readonly JournalRecord[],
  behaviors: Readonly<Record<string, Behavior>> = BEHAVIORS,
): Replayer {
  const replayer = new Replayer(behaviors);
  for (const one of records) replayer.feed(one);
  return replayer;
}

/** Opens for no single limit any more: a machine changed on purpose. */
const changed: Readonly<Record<string, Behavior>> = {
  ...BEHAVIORS,
  'circuit-breaker': {
    ...BEHAVIORS['circuit-breaker']!,
    receive(snapshot, event) {
      const step = BEHAVIORS['circuit-breaker']!.receive(snapshot, event);
      return event.type === 'limit.reached' && step.reason === 'limit_reached'
        ? { ...step, state: 'half-open', reason: 'limit_suspected' }
        : step;
    },
  },
};

suite('novactl replay', () => {
  let directory = '';
  let file = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'novaedge-replay-'));
    record(join(directory, 'journal'));
    file = join(directory, 'journal', 'dataplane-0.000001.ndjson');
  });
  after(() => rmSync(directory, { recursive: true }));

  const records = () => decodeJournal(readFileSync(file, 'utf8'), checksum).records;
  /** The same journal with some lines changed, in a file of its own. */
  const edited = (name: string, edit: (lines: string[]) => string[]) => {
    const path = join(directory, name);
    writeFileSync(path, edit(readFileSync(file, 'utf8').split('\n')).join('\n'));
    return path;
  };

  test('a journal replays without a difference: failures, kills and strangers included', () => {
    const { differences, compared, uncompared, missing, unfinished } = replay(records());
    assert.deepEqual(differences, []);
    assert.deepEqual({ uncompared, missing, unfinished }, { uncompared: 0, missing: 0, unfinished: 0 });
    assert.equal(compared, records().filter(({ outcome }) => outcome !== 'undeliverable').length);
    assert.ok(records().some(({ outcome }) => outcome === 'failed'));
    assert.ok(records().some(({ outcome }) => outcome === 'unexpected'));
  });

  test('the command says so, with the states at the end', async () => {
    const ended = await novactl(['replay', directory]);
    assert.equal(ended.code, 0, ended.stderr);
    const [header, row, summary] = ended.stdout.trimEnd().split('\n');
    assert.match(header!, /^ACTOR +STATE +REASON +SINCE +EVENTS$/);
    assert.match(row!, /^edge-1\/dataplane-0\/circuit-breaker\/default\/api +closed +limit_cleared +\S+ +6$/);
    assert.match(summary!, /^\d+ transitions of \d+ records in 1 file replayed: no difference$/);
  });

  test('--until stops at an event, a time, or seconds after the start', async () => {
    const [, second] = records();
    const shown = async (moment: string) => {
      const ended = await novactl(['replay', '-o', 'json', '--until', moment, file]);
      assert.equal(ended.code, 0, ended.stderr);
      const { actors, records: count } = JSON.parse(ended.stdout);
      return [actors[0].state, count];
    };
    assert.deepEqual(await shown(`dataplane-0.${second!.run}:1`), ['closed', 1]);
    assert.deepEqual(await shown(`dataplane-0.${second!.run}:2`), ['open', 2]);
    assert.deepEqual(await shown('+0.1'), ['open', 2]);
    assert.deepEqual(await shown(new Date(second!.wall).toISOString()), ['open', 2]);
    const wrong = await novactl(['replay', '--until', 'yesterday', file]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /yesterday.*event id/);
    assert.equal(recordsUntil([], 'nonsense'), null);
  });

  test('--actor shows what happened to one actor', async () => {
    const ended = await novactl(['replay', '--actor', 'config-stream', file]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /connected +streaming +the report cannot be made/);
    assert.doesNotMatch(ended.stdout, /circuit-breaker/);
  });

  test('a changed machine is caught, with event, actor and both outcomes', () => {
    const { differences } = replay(records(), changed);
    assert.equal(differences.length, 1);
    const [difference] = differences;
    assert.equal(difference!.id, 'dataplane-0.1:2');
    assert.equal(difference!.record.actor, BREAKER);
    assert.deepEqual([difference!.recorded.state, difference!.recorded.reason], ['open', 'limit_reached']);
    assert.deepEqual(
      [difference!.replayed.state, difference!.replayed.reason],
      ['half-open', 'limit_suspected'],
    );
  });

  test('a difference is exit 1 and names event, actor and both outcomes', async () => {
    const path = edited('other.ndjson', (lines) =>
      lines.map((line) => {
        const [one] = decodeJournal(line, checksum).records;
        return one?.seq === 2 ? encodeRecord({ ...one, reason: 'limit_guessed' }, checksum).trimEnd() : line;
      }),
    );
    const ended = await novactl(['replay', path]);
    assert.equal(ended.code, 1);
    assert.match(
      ended.stdout,
      /first difference: event dataplane-0\.1:2 at \S+, limit\.reached to edge-1\/dataplane-0\/circuit-breaker\/default\/api/,
    );
    assert.match(ended.stdout, /^reason +limit_guessed +limit_reached$/m);
    assert.match(ended.stdout, /1 actor differs$/m);
  });

  test('damaged and torn lines are counted; what they leave unknown is not compared, and said', async () => {
    const path = edited('damaged.ndjson', (lines) => [
      ...lines
        .slice(0, -2)
        .map((line) => (line.includes('"seq":2,') ? line.replace('limit.reached', 'limit.cleared') : line)),
      lines.at(-2)!.slice(0, 40),
    ]);
    const ended = await novactl(['replay', path]);
    assert.equal(ended.code, 0, ended.stdout);
    assert.match(ended.stdout, /2 damaged lines: .*:3 checksum, .*:\d+ torn/);
    assert.match(ended.stdout, /1 record missing in between/);
    assert.match(ended.stdout, /3 events not compared/);
    const { damage } = await readJournals([path]);
    assert.deepEqual(
      damage.map(({ reason }) => reason),
      ['checksum', 'torn'],
    );
  });

  test('a ring of files is one journal, whatever the order they are given in', async () => {
    const ring = join(directory, 'ring');
    mkdirSync(ring);
    record(ring, 300);
    const { files, records: merged } = await readJournals([ring]);
    assert.ok(files.length > 2);
    const reversed = await readJournals([...files].reverse().concat(files));
    assert.deepEqual(reversed.records, merged);
    const whole = replay(merged);
    assert.deepEqual(whole.differences, []);
    for (const [index] of files.entries()) {
      const rest = replay((await readJournals(files.slice(index))).records);
      assert.deepEqual(rest.differences, []);
      assert.deepEqual([rest.uncompared, rest.missing], [0, 0]);
      const shown = (replayer: Replayer) => replayer.actors().map(({ events: _counted, ...actor }) => actor);
      assert.deepEqual(shown(rest), shown(whole));
    }
  });

  test('a gap that a failing disk left is said, and what lives after it is known from its checkpoint', async () => {
    const [start, reached, another] = records();
    const gap: JournalRecord = {
      ...reached!,
      actor: 'edge-1/dataplane-0/journal',
      event: { type: 'journal.gap', lost: 1, reason: 'ENOSPC' } as JournalRecord['event'],
    };
    const memory = { value: 'open', context: { cluster: 'default/api', reached: ['maxConnections'] } };
    const checkpoint: JournalRecord = {
      ...another!,
      state: 'open',
      reason: 'limit_reached',
      effects: [],
      event: {
        type: 'actor.checkpoint',
        kind: 'circuit-breaker',
        parent: null,
        since: reached!.wall,
        memory: { ...memory, status: 'active' },
      } as JournalRecord['event'],
    };
    const rest = records()
      .slice(2)
      .map((one) => ({ ...one, seq: one.seq + 1 }));
    const path = join(directory, 'gap.ndjson');
    writeFileSync(
      path,
      [start!, gap, checkpoint, ...rest].map((one) => encodeRecord(one, checksum)).join(''),
    );
    const ended = await novactl(['replay', path]);
    assert.equal(ended.code, 0, ended.stdout);
    assert.match(ended.stdout, /1 record lost up to dataplane-0\.1:2 at \S+: ENOSPC/);
    assert.doesNotMatch(ended.stdout, /not compared|missing/);
  });

  test('a checkpoint that remembers something else than the events before it gave is a difference', () => {
    const [start, reached, another] = records();
    const memory = { value: 'open', context: { cluster: 'default/api', reached: [] }, status: 'active' };
    const event = { type: 'actor.checkpoint', kind: 'circuit-breaker', parent: null, since: 0, memory };
    const checkpoint: JournalRecord = {
      ...another!,
      ...{ event, state: 'open', reason: 'limit_reached', effects: [], outcome: 'taken' },
    };
    const { differences } = replay([start!, reached!, checkpoint]);
    assert.equal(differences.length, 1);
    assert.deepEqual(differences[0]!.recorded.memory, memory);
  });

  test('no journal is an error, not a success', async () => {
    mkdirSync(join(directory, 'empty'));
    const empty = await novactl(['replay', join(directory, 'empty')]);
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /no journal in/);
    const missing = await novactl(['replay', join(directory, 'nothing')]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /cannot read .*nothing: no such file/);
  });
});
