import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readJournals } from '../../src/cli/replay/journal-reader.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import {
  backend,
  backendManifest,
  eventually,
  gatewayManifest,
  novactl,
  novaedge,
  ready,
  routeManifest,
  type Standalone,
  standalone,
} from '../e2e/harness.ts';
import { traffic } from '../e2e/traffic.ts';

/** How many different runs; each takes some seconds. */
const RUNS = Number(process.env.NOVAEDGE_REPLAY_RUNS ?? 2);
const REPLAYS = 100;
const SECRET = 'sEcReT-4f2c7b8e9a1d';
const PRELOAD = fileURLToPath(new URL('./kill-worker.ts', import.meta.url));

function replay(records: readonly JournalRecord[], behaviors = BEHAVIORS): Replayer {
  const replayer = new Replayer(behaviors);
  for (const record of records) replayer.feed(record);
  return replayer;
}

/** The system with a thread that can be killed from outside. */
async function killable(t: TestContext, files: Readonly<Record<string, string>>): Promise<Standalone> {
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `--import=${PRELOAD}`;
  try {
    return await standalone(t, files);
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
  }
}

/** A request that carries all kinds of secrets. */
function secretRequest(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${SECRET}`, cookie: `session=${SECRET}`, 'x-api-key': SECRET };
  return new Promise((resolve) => {
    const outgoing = request(`${url}?token=${SECRET}`, { headers }, (response) => {
      response.resume();
      response.on('close', () => resolve());
    });
    outgoing.on('error', () => resolve());
    outgoing.end();
  });
}

const SECRETS = `apiVersion: v1
kind: Secret
metadata: { name: tls }
type: kubernetes.io/tls
stringData: { tls.key: "${SECRET}", tls.crt: "${SECRET}" }
`;
const addSecret = `      filters:
        - type: AddHeader
          add: { Authorization: "Bearer ${SECRET}" }
`;

for (let run = 1; run <= RUNS; run += 1)
  test(`run ${run}: what real processes did under load, edits, a dying backend and killed workers replays ${REPLAYS} of ${REPLAYS} times`, async (t) => {
    const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
    const system = await killable(t, {
      'backends.yaml': `${backendManifest('one', one.port)}---\n${backendManifest('two', two.port)}`,
      'route.yaml': routeManifest('app', '/', 'one', addSecret),
      'secret.yaml': SECRETS,
    });
    const load = traffic(system.url('/'), 8);
    await eventually('load', () => load.total() > 200);
    for (const name of ['two', 'one', 'two', 'one']) {
      const seen = name === 'one' ? one.requests : two.requests;
      system.write('route.yaml', routeManifest('app', '/', name, addSecret));
      if (name === 'two') system.process.kill('SIGUSR2');
      await eventually('the edit', () => (name === 'one' ? one.requests : two.requests) > seen + 20);
      await secretRequest(system.url('/'));
    }
    const killed = () => system.output().split('ended: killed by a test').length - 1;
    await eventually('two killed workers', () => killed() >= 2);
    const journal = join(system.data, 'journal');
    await eventually('two lives of both', () => readdirSync(journal).length >= 5);
    system.write('gateway.yaml', `${gatewayManifest(system.port)}---\n${gatewayManifest(0, 'bad')}`);
    one.server.closeAllConnections();
    one.server.close();
    await eventually('a dead backend', () => /endpoint \S+ of default\/one fails/.test(system.output()));
    await load.stop();
    assert.equal(await system.stop(), 0);

    const files = readdirSync(journal).map((name) => join(journal, name));
    for (const file of files) assert.ok(!readFileSync(file, 'utf8').includes(SECRET), `a secret in ${file}`);

    const elsewhere = readdirSync(system.data, { withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(
      elsewhere.some(({ name }) => readFileSync(join(system.data, name)).includes(SECRET)),
      'the secret is in the configuration that served',
    );

    const { records, damage } = await readJournals([journal]);
    assert.deepEqual(damage, []);
    assert.ok(records.some(({ event }) => event.type === 'endpoint.failing'));
    assert.ok(records.some(({ event }) => event.type === 'worker.exited'));
    for (let again = 0; again < REPLAYS; again += 1) {
      const { differences, uncompared, missing, compared } = replay(records);
      assert.deepEqual(differences, []);
      assert.deepEqual([uncompared, missing], [0, 0]);
      assert.ok(compared > 150, `${compared} transitions`);
    }
    if (run > 1) return;

    await t.test('the command says so too', async () => {
      const said = await novactl('replay', journal);
      assert.equal(said.code, 0, said.stdout + said.stderr);
      assert.match(said.stdout, /transitions of \d+ records in \d+ files replayed: no difference/);
    });

    await t.test('a machine changed on purpose is caught', () => {
      const rollout = BEHAVIORS.rollout!;
      const hasty = replay(records, {
        ...BEHAVIORS,
        rollout: {
          ...rollout,
          receive(snapshot, event) {
            const step = rollout.receive(snapshot, event);
            return step.state === 'preparing' ? { ...step, state: 'committing' } : step;
          },
        },
      });
      assert.equal(hasty.differences[0]?.recorded.state, 'preparing');
      assert.equal(hasty.differences[0]?.replayed.state, 'committing');
    });

    const explain = async (...what: string[]) => {
      const said = await novactl('explain', ...what, system.data);
      assert.equal(said.code, 0, said.stderr);
      return said.stdout;
    };

    await t.test('explain follows causes from worker to main and back', async () => {
      const text = await explain('edge/http', '-o', 'json');
      const { chain, lost, standing } = JSON.parse(text) as {
        chain: { id: string; actor: string; cause: string; event: { type: string } }[];
        lost: number;
        standing: { state: string }[];
      };
      assert.equal(lost, 0);
      assert.equal(standing.length, 2);
      const byId = new Map(chain.map((record) => [record.id, record]));
      const bound = chain.find(({ event }) => event.type === 'listener.bound')!;
      const path: string[] = [];
      for (let at: typeof bound | undefined = bound; at !== undefined; at = byId.get(at.cause))
        path.push(`${at.actor.split('/').slice(1, 3).join('/')} ${at.event.type}`);
      assert.match(
        path.join(' < '),
        /dataplane-\d\/listener listener\.bound < .*child\.start < main\/rollout /,
      );
      for (const [index, record] of chain.entries())
        if (record.cause !== '') assert.ok(chain.findIndex(({ id }) => id === record.cause) < index);
    });

    await t.test('explain takes what a person types', async () => {
      assert.match(await explain(`127.0.0.1:${one.port}`), /endpoint\.failing .* endpoint_ejected/);
      assert.match(await explain('dataplane-0'), /worker\.exited .*killed by a test/);
      assert.match(await explain('route/default/app'), /update\.received .*rollout\.finished/s);
      assert.match(await explain('default/two'), /upstream-pool\/default\/two: /);
      const [early] = records;
      const at = await explain('config-stream', '--at', `main.${early!.run}:4`);
      assert.doesNotMatch(at, /update\.received/);
      const many = await novactl('explain', 'default', system.data);
      assert.equal(many.code, 1);
      const unknown = await novactl('explain', 'listener/default/edge/https', system.data);
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /did you mean listener\/default\/edge\/http\?/);
    });
  });

test('a process that is killed loses at most the last moment, and both lives replay', async (t) => {
  const one = await backend(t, 'one');
  const system = await standalone(t, {
    'backends.yaml': backendManifest('one', one.port),
    'route.yaml': routeManifest('app', '/', 'one'),
  });
  const journal = join(system.data, 'journal');
  system.write('route.yaml', routeManifest('renamed', '/', 'one'));
  await eventually('the edit in the journal', async () =>
    (await readJournals([journal])).records.some((record) =>
      JSON.stringify(record.event).includes('route/default/renamed'),
    ),
  );
  await system.stop('SIGKILL');
  const dead = await readJournals([journal]);
  assert.ok(dead.damage.every(({ reason }) => reason === 'torn'));
  assert.deepEqual(replay(dead.records).differences, []);

  const again = novaedge(
    t,
    ...['standalone', '--config', system.config, '--data', system.data, '--bind', '127.0.0.1'],
    ...['--admin', system.admin, '--workers', '1'],
  );
  await ready(again, system.admin);
  assert.equal(await again.stop(), 0);
  const both = await readJournals([journal]);
  const { differences, uncompared, missing } = replay(both.records);
  assert.deepEqual(differences, []);
  assert.deepEqual([uncompared, missing], [0, 0]);
  assert.ok(both.records.length > dead.records.length);
});

test('without a journal nothing is written, and explain says so', async (t) => {
  const one = await backend(t, 'one');
  const system = await standalone(
    t,
    { 'backends.yaml': backendManifest('one', one.port), 'route.yaml': routeManifest('app', '/', 'one') },
    ...['--journal', 'off'],
  );
  assert.equal(await (await fetch(system.url('/'))).text(), 'one');
  assert.equal(await system.stop(), 0);
  assert.ok(!readdirSync(system.data).includes('journal'));
  const said = await novactl('explain', 'rollout', system.data);
  assert.equal(said.code, 1);
  assert.match(said.stderr, /no journal in/);
});
