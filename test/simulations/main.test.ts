import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { novactl } from '../cli/run.ts';

const MAIN = fileURLToPath(new URL('../../simulations/main.ts', import.meta.url));

function sim(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('options and seed come first, the rates last; the recording replays', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-sim-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'seed-3.ndjson');
  const { status, stdout } = sim('rollout', '--seed', '3', '--seeds', '1', '--record', file);
  assert.equal(status, 0, stdout);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines[0], 'scenario rollout, seed 3, seeds 1, threads 1');
  assert.match(lines.at(-1)!, /^1 seeds, \d+ events, .* × real time, .* seeds\/s$/);
  const replay = await novactl(['replay', file]);
  assert.equal(replay.code, 0, replay.stdout + replay.stderr);
  assert.match(replay.stdout, /no difference/);
});

test('a failure shows timeline, seed, invariant and how to see it again; and so it fails again', () => {
  const plant = ['--plant', 'ignore-rejections'];
  const first = sim('--seed', '1', '--seeds', '200', ...plant);
  assert.equal(first.status, 1);
  assert.match(first.stdout, /^ +\d+\.\d{3} s {2}main\.1:\d+ +main\/rollout/m);
  const broken = /^broken: (.+)\n +(.+)$/m.exec(first.stdout);
  assert.ok(broken !== null, first.stdout);
  const again = /^again: {2}npm run sim -- (.+)$/m.exec(first.stdout)![1]!;
  const second = sim(...again.split(' '));
  assert.equal(second.status, 1);
  assert.ok(second.stdout.includes(broken[0]), second.stdout);
});

test('seeds are spread over threads, and what comes of them does not depend on how many there are', () => {
  const of = (threads: string, ...args: string[]) =>
    sim('--seed', '1', '--seeds', '32', '--threads', threads, '--coverage', ...args)
      .stdout.split('\n')
      .slice(1)
      .map((line) => line.replace(/ min simulated in .*/, ''))
      .join('\n');
  const one = of('1');
  assert.match(one, /^faults {3}\S.* \d+/m);
  assert.match(one, /^covered {2}\d+ of \d+ transitions/m);
  assert.match(one, /^ {2}rollout \S+ \S+ \S+$/m);
  assert.equal(of('2'), one);
  const failing = of('1', '--plant', 'save-in-place');
  assert.match(failing, /^again: /m);
  assert.equal(of('2', '--plant', 'save-in-place'), failing, 'the lowest seed that fails');
});

test('with --minutes no more seeds are begun after that time', () => {
  const { status, stdout } = sim('--seed', '1', '--minutes', '0.001');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^scenario rollout, seed 1, minutes 0\.001, threads \d+$/m);
  assert.match(stdout, /^\d+ seeds, /m);
});

test('wrong usage is exit 2 and says what there is', () => {
  for (const args of [
    ['nothing'],
    ['--seeds', 'many'],
    ['--plant', 'x'],
    ['--what'],
    ['--minutes', '0'],
    ['--threads', '0'],
  ]) {
    const { status, stderr, stdout } = sim(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /rollout/);
  }
});
