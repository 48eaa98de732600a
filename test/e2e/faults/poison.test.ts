import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  backend,
  backendManifest,
  eventually,
  novactl,
  routeManifest,
  type Standalone,
  standaloneIn,
} from '../harness.ts';
import { traffic } from '../traffic.ts';

const PRELOAD = fileURLToPath(new URL('./poison-preload.ts', import.meta.url));

const poisonable = { ...process.env, NODE_OPTIONS: `--import=${PRELOAD}` };

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

interface Shown {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions: readonly Condition[] };
}

/** Why the route is not in use, as its status says. */
function problem(system: Standalone, name: string): Promise<Condition> {
  return eventually(`the problem of ${name}`, async () => {
    const { stdout } = await novactl('routes', '--admin', system.admin, '-o', 'json');
    const { items } = JSON.parse(stdout) as { items: Shown[] };
    const conditions = items.find(({ metadata }) => metadata.name === name)?.status.conditions ?? [];
    return conditions.find(({ type, status }) => type === 'Programmed' && status === 'False') ?? null;
  });
}

const body = async (url: string) => (await fetch(url)).text();

test('an object that ends a worker is left out with its event, after one worker; all else goes on', async (t) => {
  const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
  const backends = `${backendManifest('one', one.port)}---\n${backendManifest('two', two.port)}`;
  const system = await standaloneIn(
    t,
    poisonable,
    { 'backends.yaml': backends, 'app.yaml': routeManifest('app', '/', 'one') },
    '--worker-memory',
    '64M',
  );
  const load = traffic(system.url('/'), 8);
  t.after(() => load.stop());
  await eventually('load', () => load.total() > 200);
  const ends = () => (system.output().match(/"msg":"dataplane-\d (?:ended: |did not answer)/g) ?? []).length;

  let neighbour = 0;
  for (const kind of ['exit-prepare', 'loop-prepare', 'memory-prepare', 'exit-commit', 'loop-commit']) {
    const name = `poison-${kind}`;
    const before = ends();
    neighbour += 1;
    // In one save with a neighbour, which is to go into use.
    system.write(
      'app.yaml',
      `${routeManifest('app', '/', 'one')}---\n${routeManifest(name, `/${name}`, 'two')}---\n${routeManifest('next', `/next-${neighbour}`, 'two')}`,
    );
    await eventually(
      `the neighbour of ${name}`,
      async () => (await body(system.url(`/next-${neighbour}`))) === 'two',
    );
    const { message, reason } = await problem(system, name);
    assert.equal(reason, 'CrashedWorker', message);
    assert.match(
      message,
      /dataplane-\d ended over it \(.*\); it is left out until it changes \(event main\.\d+:\d+\)/,
    );
    assert.equal(await body(system.url(`/${name}`)), 'one', 'its route is not there');
    await eventually(
      `readiness after ${name}`,
      async () => (await fetch(`http://${system.admin}/readyz`)).ok,
    );
    const { stdout } = await novactl('actors', '--admin', system.admin, '-o', 'json');
    assert.match(stdout, /dataplane-1/);
    const problems = await novactl('problems', '--admin', system.admin);
    assert.match(problems.stdout, new RegExp(`ProxyRoute default/${name}[\\s\\S]*CrashedWorker`));
    assert.equal(ends() - before, 1, `${name} ended one worker\n${system.output()}`);
  }

  // Changed, it serves.
  system.write(
    'app.yaml',
    `${routeManifest('app', '/', 'one')}---\n${routeManifest('harmless', '/poison', 'two')}`,
  );
  await eventually('the harmless route', async () => (await body(system.url('/poison'))) === 'two');
  await load.stop();
  assert.deepEqual(
    [...load.answers.keys()].filter((answer) => !/^(?:200 one|503)/.test(answer)),
    [],
  );
  assert.equal(await system.stop(), 0);
});

test('an exception in the middle of a commit costs one worker and names the object', async (t) => {
  const one = await backend(t, 'one');
  const system = await standaloneIn(t, poisonable, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
  });
  system.write('more.yaml', routeManifest('poison-throw-commit', '/thrown', 'one'));
  const { message, reason } = await problem(system, 'poison-throw-commit');
  assert.equal(reason, 'CrashedWorker');
  assert.match(message, /commit failed: injected exception/);
  assert.equal(await body(system.url('/')), 'one');
  await eventually('both workers', async () => {
    const { stdout } = await novactl('actors', '--admin', system.admin, '-o', 'json');
    return stdout.includes('dataplane-worker/0') && stdout.includes('dataplane-worker/1');
  });
  assert.equal(await system.stop(), 0);
});

test('poison in the last good configuration does not keep an agent from serving the rest', async (t) => {
  const one = await backend(t, 'one');
  const system = await standaloneIn(t, poisonable, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}---\n${routeManifest('poison-exit-prepare', '/dead', 'one')}`,
  });
  assert.equal(await body(system.url('/')), 'one');
  const { reason } = await problem(system, 'poison-exit-prepare');
  assert.equal(reason, 'CrashedWorker');
  assert.equal(await system.stop(), 0);
});
