import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../needs.ts';
import { curl, execute, freePort, novactl, novaedge, ready, root, temporaryDirectory } from './harness.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the configuration of the README is valid and does what it says', needs('curl'), async (t) => {
  const manifest = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1];
  assert.ok(manifest !== undefined);
  let seen: IncomingHttpHeaders = {};
  const backend = createServer((request, response) => {
    seen = request.headers;
    response.end('from the backend');
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.after(() => backend.close());
  const port = await freePort();
  const directory = temporaryDirectory();
  const config = join(directory, 'config');
  mkdirSync(config);
  const own = manifest
    .replace('port: 8080', `port: ${port}`)
    .replace('port: 9001', `port: ${(backend.address() as { port: number }).port}`);
  writeFileSync(join(config, 'readme.yaml'), own);
  assert.equal((await novactl('validate', config)).code, 0);

  const admin = `127.0.0.1:${await freePort()}`;
  const flags = ['--bind', '127.0.0.1', '--workers', '2', '--admin', admin];
  const system = novaedge(t, 'standalone', '--config', config, '--data', join(directory, 'data'), ...flags);
  await ready(system, admin);
  const answer = await curl(`http://api.localhost:${port}/v1/hello`);
  assert.equal(answer.stdout, 'from the backend');
  assert.equal(seen['x-version'], 'v1');
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/hello`)).status, 404);

  const shown = await novactl('get', 'proxyroute', 'example-route', '-o', 'yaml', '--admin', admin);
  assert.match(shown.stdout, /kind: ProxyRoute/);
});

test('every command of the documents exists', async () => {
  const pages = ['README.md', 'docs/operation.md']
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const wanted = new Map<string, Set<string>>([
    ['novaedge', new Set()],
    ['novactl', new Set()],
  ]);
  for (const [, program, rest] of pages.matchAll(/npx (novaedge|novactl) ([^`\n]*)/g)) {
    for (const part of rest!.split('|')) {
      const command = /^[a-z]+/.exec(part.trim())?.[0];
      if (command !== undefined) wanted.get(program!)!.add(command);
    }
  }
  assert.ok(wanted.get('novaedge')!.size >= 4 && wanted.get('novactl')!.size >= 7);
  for (const [program, commands] of wanted) {
    for (const command of commands) {
      const help = await execute(process.execPath, [join(root, `src/bin/${program}.mjs`), command, '--help']);
      assert.equal(help.code, 0, `${program} ${command}: ${help.stderr}`);
      assert.match(help.stdout, new RegExp(`Usage: ${program} ${command}`));
    }
  }
});
