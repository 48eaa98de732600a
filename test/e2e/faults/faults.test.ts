import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../harness.ts';
import { FAULT_KINDS } from './protocol.ts';
import { type FaultySystem, faultySystem } from './system.ts';

/** Far more than it takes, so that a busy machine does not decide; the campaign measures. */
const BACK_MS = 10_000;

/** Events of a worker's actor in the journal of the main thread. */
function workerEvents(system: FaultySystem, worker: number): { type: string; [field: string]: unknown }[] {
  const directory = join(system.data, 'journal');
  return readdirSync(directory)
    .filter((file) => file.startsWith('main.'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as { actor: string; event: { type: string } })
    .filter(({ actor }) => actor.endsWith(`/dataplane-worker/${worker}`))
    .map(({ event }) => event);
}

test('a worker that fails in any way is replaced, and requests of the other one never fail', async (t) => {
  const system = await faultySystem(t, { keepAlive: 6, fresh: 2 }, '--worker-memory', '64M');
  const said: Record<(typeof FAULT_KINDS)[number], RegExp> = {
    throw: /^injected exception$/,
    reject: /^injected rejection$/,
    exit: /^exited with code 7$/,
    loop: /^heartbeat$/,
    memory: /memory limit|^heartbeat$/,
    wait: /^heartbeat$/,
  };
  for (const [index, fault] of FAULT_KINDS.entries()) {
    const worker = index % 2;
    const kill = await system.kill(worker, fault);
    assert.deepEqual(kill.others, [], `${fault}: requests of the other worker`);
    assert.ok(kill.backMs < BACK_MS, `${fault}: back after ${kill.backMs.toFixed(0)} ms`);
    t.diagnostic(`${fault}: back after ${kill.backMs.toFixed(0)} ms, ${kill.lost.length} requests lost`);
    const reason = await eventually(`the reason of ${fault} in the journal`, () =>
      workerEvents(system, worker).some(
        (event) =>
          (event.type === 'worker.exited' && said[fault].test(String(event.message))) ||
          (event.type === 'worker.hung' && said[fault].test(String(event.call))),
      ),
    );
    assert.ok(reason);
  }
  assert.match(system.output(), /dataplane-[01] did not answer for \d+ ms/);
  assert.match(system.output(), /dataplane-[01] ended: injected exception/);
  assert.deepEqual(await system.calm(), []);
  assert.equal((await fetch(`http://${system.admin}/readyz`)).status, 200);
  assert.equal(await system.stop(), 0);
});

test('a thread that hangs in its start is overtaken by the next one', async (t) => {
  const system = await faultySystem(t, { keepAlive: 4, fresh: 2 });
  system.injector.hangNextStart('after-role');
  const late = await system.kill(0, 'exit');
  assert.deepEqual(late.others, []);
  await eventually('a worker that hung when it had its role', () =>
    workerEvents(system, 0).some((event) => event.type === 'worker.hung' && event.call === 'heartbeat'),
  );

  // The next spare hangs before it has loaded anything; the next worker that fails gets it.
  system.injector.hangNextStart('before-role');
  await system.kill(0, 'exit');
  await eventually('a spare that hangs', () => !existsSync(join(system.directory, 'hang-before-role')));
  const early = await system.kill(1, 'exit');
  assert.deepEqual(early.others, []);
  assert.ok(early.backMs < BACK_MS, `back after ${early.backMs.toFixed(0)} ms`);
  t.diagnostic(`back after ${late.backMs.toFixed(0)} ms and ${early.backMs.toFixed(0)} ms`);
  await eventually('a worker that did not come up', () =>
    workerEvents(system, 1).some((event) => event.type === 'worker.hung' && event.call === 'start'),
  );
});

test('a thread that a system call holds is abandoned, replaced beside it, and named as not ready', async (t) => {
  const system = await faultySystem(t, { keepAlive: 2, fresh: 0 });
  const pipe = join(system.directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // No client may come to wait at the socket of the thread that is held.
  await system.calm();
  const at = await system.injector.fault(1, 'read');
  const refused = await eventually('not ready', async () => {
    const answer = await fetch(`http://${system.admin}/readyz`);
    return answer.status === 503 && answer.text();
  });
  assert.match(refused, /dataplane-1's old thread cannot be ended and holds its ports; restart the agent/);
  await eventually('its successor', () =>
    workerEvents(system, 1).some((event, index, all) => event.type === 'worker.ready' && index > 3 && all),
  );
  assert.ok(at > 0);

  // The system call returns: the thread ends after all, and all is well.
  openSync(pipe, 'w');
  await eventually('ready', async () => (await fetch(`http://${system.admin}/readyz`)).ok);
  assert.equal(await system.stop(), 0);
});
