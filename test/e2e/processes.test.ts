import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  backend,
  backendManifest,
  eventually,
  freePort,
  gatewayManifest,
  novactl,
  novaedge,
  ready,
  routeManifest,
  temporaryDirectory,
} from './harness.ts';

const body = async (url: string) => (await fetch(url)).text();

interface World {
  readonly directory: string;
  readonly config: string;
  readonly port: number;
  readonly listen: string;
  readonly url: string;
}

async function world(t: TestContext): Promise<World> {
  const one = await backend(t, 'one');
  const directory = temporaryDirectory();
  const config = join(directory, 'config');
  mkdirSync(config);
  const port = await freePort();
  writeFileSync(join(config, 'gateway.yaml'), gatewayManifest(port));
  writeFileSync(
    join(config, 'app.yaml'),
    `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
  );
  const certs = novaedge(t, 'certs', '--out', join(directory, 'certs'));
  assert.equal(await certs.exited, 0, certs.output());
  return {
    directory,
    config,
    port,
    listen: `127.0.0.1:${await freePort()}`,
    url: `http://127.0.0.1:${port}/`,
  };
}

const tls = (directory: string, side: 'server' | 'client') =>
  ['--ca', 'ca.crt', '--cert', `${side}.crt`, '--key', `${side}.key`].map((each) =>
    each.startsWith('--') ? each : join(directory, 'certs', each),
  );

async function controller(t: TestContext, { directory, config, listen }: World) {
  const admin = `127.0.0.1:${await freePort()}`;
  const started = novaedge(
    t,
    'controller',
    '--config',
    config,
    '--listen',
    listen,
    '--admin',
    admin,
    ...tls(directory, 'server'),
  );
  await ready(started, admin);
  return { ...started, admin };
}

async function agent(t: TestContext, { directory, listen }: World, name: string) {
  const admin = `127.0.0.1:${await freePort()}`;
  const data = join(directory, name);
  const arguments_ = [
    'agent',
    '--node',
    name,
    '--controller',
    listen,
    '--data',
    data,
    '--bind',
    '127.0.0.1',
    '--workers',
    '2',
    '--admin',
    admin,
  ];
  const started = novaedge(t, ...arguments_, ...tls(directory, 'client'));
  return { ...started, admin, data };
}

test('controller and agent as separate processes over mTLS; the agent needs no controller to serve or to start', async (t) => {
  const here = await world(t);
  const control = await controller(t, here);
  const first = await agent(t, here, 'edge-1');
  await ready(first, first.admin);
  assert.equal(await body(here.url), 'one');

  const nodes = await novactl('nodes', '--admin', control.admin);
  assert.match(nodes.stdout, /edge-1/);
  const status = await eventually('Programmed', async () => {
    const { stdout } = await novactl('get', 'proxyroute', 'app', '-o', 'json', '--admin', control.admin);
    return /"type": ?"Programmed",\s*"status": ?"True"/.test(stdout) && stdout;
  });
  assert.match(status, /"reason": ?"Programmed"/);

  assert.equal(await control.stop(), 0);
  assert.equal(await body(here.url), 'one');
  await eventually('the last good snapshot on disk', () =>
    readdirSync(first.data).includes('last-good.snapshot'),
  );
  await first.stop('SIGKILL');

  const second = await agent(t, here, 'edge-1');
  await ready(second, second.admin);
  assert.equal(await body(here.url), 'one');
  assert.equal(await second.stop(), 0);
});

test('a torn last good snapshot is refused and said so', async (t) => {
  const here = await world(t);
  const control = await controller(t, here);
  const first = await agent(t, here, 'edge-1');
  await ready(first, first.admin);
  const saved = await eventually(
    'the saved snapshot',
    () => readdirSync(first.data).find((file) => file === 'last-good.snapshot') ?? null,
  );
  await first.stop();
  await control.stop();
  for (const file of readdirSync(first.data).filter(
    (each) => /last-good/.test(each) && statSync(join(first.data, each)).isFile(),
  )) {
    const bytes = readFileSync(join(first.data, file));
    writeFileSync(join(first.data, file), bytes.subarray(0, bytes.length - 7));
  }
  const second = await agent(t, here, 'edge-1');
  await eventually('the refusal', () => second.output().includes(saved));
  const readiness = await eventually('the admin server', () => fetch(`http://${second.admin}/readyz`));
  assert.equal(readiness.status, 503);
});

test('SIGHUP reads certificates again: bad ones are refused by name and the old ones stay, good ones are used', async (t) => {
  const here = await world(t);
  const control = await controller(t, here);
  const first = await agent(t, here, 'edge-1');
  await ready(first, first.admin);
  const file = join(here.directory, 'certs', 'server.crt');
  const good = readFileSync(file);

  writeFileSync(file, 'not a certificate');
  control.process.kill('SIGHUP');
  await eventually(
    'the refusal',
    () => /reading again failed/.test(control.output()) && control.output().includes(file),
  );
  assert.doesNotMatch(control.output(), /PRIVATE KEY/);
  const second = await agent(t, { ...here, port: await freePort() }, 'edge-2');
  await eventually('an agent that connects all the same', async () =>
    (await novactl('nodes', '--admin', control.admin)).stdout.includes('edge-2'),
  );
  await second.stop();

  // Certificates of another authority: whoever is read again must now turn the old clients away.
  const others = novaedge(t, 'certs', '--out', join(here.directory, 'others'));
  assert.equal(await others.exited, 0, others.output());
  for (const name of ['ca.crt', 'server.crt', 'server.key'])
    writeFileSync(join(here.directory, 'certs', name), readFileSync(join(here.directory, 'others', name)));
  assert.notDeepEqual(readFileSync(file), good);
  control.process.kill('SIGHUP');
  const client = ['--ca', 'ca.crt', '--cert', 'client.crt', '--key', 'client.key'].map((each) =>
    each.startsWith('--') ? each : join(here.directory, 'others', each),
  );
  const admin = `127.0.0.1:${await freePort()}`;
  const third = novaedge(
    t,
    ...['agent', '--node', 'edge-3', '--controller', here.listen, '--data', join(here.directory, 'edge-3')],
    ...['--bind', '127.0.0.2', '--workers', '1', '--admin', admin, ...client],
  );
  await eventually('an agent of the new authority', async () => {
    assert.equal(third.process.exitCode, null, third.output());
    return (await novactl('nodes', '--admin', control.admin)).stdout.includes('edge-3');
  });
});

test('plaintext beyond loopback must be asked for by name', async (t) => {
  const directory = temporaryDirectory();
  const control = novaedge(
    t,
    'controller',
    '--config',
    directory,
    '--listen',
    '0.0.0.0:0',
    '--admin',
    '127.0.0.1:0',
  );
  assert.equal(await control.exited, 3);
  assert.match(control.output(), /--insecure/);
  assert.match(control.output(), /--cert/);
});
