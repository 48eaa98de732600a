import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readJournals } from '../../src/cli/replay/journal-reader.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import {
  backend,
  backendManifest,
  eventually,
  gatewayManifest,
  novactl,
  routeManifest,
  standalone,
} from '../e2e/harness.ts';
import { traffic } from '../e2e/traffic.ts';

test('the journal of real processes under load, edits and a dying backend replays without a difference', async (t) => {
  const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
  const system = await standalone(t, {
    'backends.yaml': `${backendManifest('one', one.port)}---\n${backendManifest('two', two.port)}`,
    'route.yaml': routeManifest('app', '/', 'one'),
  });
  const load = traffic(system.url('/'), 8);
  await eventually('load', () => load.total() > 200);
  for (const name of ['two', 'one', 'two', 'one']) {
    const seen = name === 'one' ? one.requests : two.requests;
    system.write('route.yaml', routeManifest('app', '/', name));
    await eventually('the edit', () => (name === 'one' ? one.requests : two.requests) > seen + 20);
  }
  system.write('gateway.yaml', `${gatewayManifest(system.port)}---\n${gatewayManifest(0, 'bad')}`);
  one.server.closeAllConnections();
  one.server.close();
  await eventually('a dead backend', () =>
    [...load.answers.keys()].some((answer) => answer.startsWith('50')),
  );
  await load.stop();
  assert.equal(await system.stop(), 0);

  const journal = join(system.data, 'journal');
  const replay = await novactl('replay', journal);
  assert.equal(replay.code, 0, replay.stdout + replay.stderr);
  assert.match(replay.stdout, /transitions of \d+ records in 3 files replayed: no difference/);

  const { records } = await readJournals([journal]);
  assert.ok(records.some(({ event }) => event.type === 'endpoint.failing'));
  const rollout = BEHAVIORS.rollout!;
  const hasty = new Replayer({
    ...BEHAVIORS,
    rollout: {
      ...rollout,
      receive(snapshot, event) {
        const step = rollout.receive(snapshot, event);
        return step.state === 'preparing' ? { ...step, state: 'committing' } : step;
      },
    },
  });
  for (const record of records) hasty.feed(record);
  assert.equal(hasty.differences[0]?.recorded.state, 'preparing');
  assert.equal(hasty.differences[0]?.replayed.state, 'committing');
});
