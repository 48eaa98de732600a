import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../needs.ts';
import { eventually, execute, freePort, novactl, novaedge, root } from './harness.ts';

const leftovers = () => readdirSync(tmpdir()).filter((name) => /^novaedge-demo-/.test(name));

test(
  'npm start runs the samples, prints what to try, and Ctrl-C leaves nothing behind',
  needs('curl'),
  async (t) => {
    for (const port of [8080, 9001, 9002, 9003])
      assert.equal(await connects(port), false, `port ${port}, which the samples use, is taken`);
    const before = leftovers();
    const admin = `127.0.0.1:${await freePort()}`;
    // A process group of its own, as a terminal gives it, so that the interrupt reaches npm and all below it.
    const child = spawn('npm', ['start', '--', '--admin', admin], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString();
      });
    }
    const exited = once(child, 'exit');
    await eventually('the lines to try', () => {
      assert.equal(child.exitCode, null, output);
      return output.includes('Ctrl-C drains');
    });
    await eventually('readiness', async () => (await fetch(`http://${admin}/readyz`)).ok);

    const printed = [...output.matchAll(/^ {2}(curl .*?)(?: {2,}.*)?$/gm)].map((match) => match[1]!);
    assert.ok(printed.length >= 3, output);
    const inSamples = readdirSync(join(root, 'deploy/samples')).flatMap((file) =>
      [...readFileSync(join(root, 'deploy/samples', file), 'utf8').matchAll(/^\s*# {3}(.*\bcurl .*)$/gm)].map(
        (match) => match[1]!,
      ),
    );
    assert.ok(inSamples.length >= 8, inSamples.join('\n'));
    for (const line of [...printed, ...inSamples]) {
      const { code, stdout, stderr } = await execute('bash', [
        '-c',
        line.replaceAll('curl ', 'curl -sS -i --max-time 10 '),
      ]);
      assert.equal(code, 0, `${line}: ${stderr}`);
      if (!line.includes('grep'))
        assert.match(stdout, /^HTTP\/(?:1\.1|2) (200|30[1278]) /, `${line}: ${stdout}`);
    }

    const graph = await novactl('topology', 'graph', '--admin', admin);
    assert.equal(graph.code, 0, graph.stderr);
    assert.match(graph.stdout, /external-gateway/);
    assert.match(graph.stdout, /127\.0\.0\.1:9001/);
    const problems = await novactl('problems', '--admin', admin, '-o', 'json');
    // Of the samples only the address is not in use: announcing it is not supported yet.
    const { items } = JSON.parse(problems.stdout) as { items: { reason: string }[] };
    assert.deepEqual(
      items.map(({ reason }) => reason),
      ['NotAnnounced'],
    );

    process.kill(-child.pid!, 'SIGINT');
    await exited;
    for (const port of [8080, 9001, 9002, 9003])
      assert.equal(await connects(port), false, `port ${port} is still taken`);
    assert.deepEqual(
      leftovers().filter((name) => !before.includes(name)),
      [],
    );
  },
);

test('npm start ends when its terminal is closed', async (t) => {
  const before = leftovers();
  const system = novaedge(t, 'demo', '--admin', `127.0.0.1:${await freePort()}`);
  await eventually('the lines to try', () => {
    assert.equal(system.process.exitCode, null, system.output());
    return system.output().includes('Ctrl-C drains');
  });
  assert.equal(await system.stop('SIGHUP'), 0, system.output());
  assert.deepEqual(
    leftovers().filter((name) => !before.includes(name)),
    [],
  );
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
