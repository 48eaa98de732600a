import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import {
  backend,
  backendManifest,
  eventually,
  freePort,
  gatewayManifest,
  novactl,
  routeManifest,
  standalone,
} from './harness.ts';

interface Client {
  port: number;
  answered: number;
}

/** Asks on its kept connection; goes to `next` when its port takes no more connections. */
async function ask(client: Client, next: () => number, agent: Agent, failures: string[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const outgoing = request({ port: client.port, host: '127.0.0.1', agent }, (response) => {
      if (response.statusCode !== 200) failures.push(`port ${client.port}: ${response.statusCode}`);
      response.resume();
      response.on('end', resolve);
      client.answered += 1;
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') client.port = next();
      else failures.push(`port ${client.port}: ${error.code ?? error.message}`);
      resolve();
    });
    outgoing.end();
  });
}

test('a gateway that moves to another port, and one that goes, fail no request under keep-alive load', async (context) => {
  const one = await backend(context, 'one');
  const system = await standalone(context, {
    'backend.yaml': backendManifest('one', one.port),
    'route.yaml': routeManifest('all', '/', 'one'),
  });
  const failures: string[] = [];
  let running = true;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  context.after(() => {
    running = false;
    agent.destroy();
  });
  let wished = system.port;
  const clients = Array.from({ length: 16 }, (): Client => ({ port: system.port, answered: 0 }));
  const load = clients.map(async (client) => {
    while (running) {
      await ask(client, () => wished, agent, failures);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  const all = (what: string, check: (client: Client) => boolean) =>
    eventually(what, () => clients.every(check));
  await all('the first answers', (client) => client.answered > 3);

  for (let move = 0; move < 3; move += 1) {
    const port = await freePort();
    wished = port;
    system.write('gateway.yaml', gatewayManifest(port));
    await all(`all clients on port ${port}`, (client) => client.port === port);
    const before = clients.map((client) => client.answered);
    await all('answers there', (client) => client.answered > before[clients.indexOf(client)]! + 3);
  }
  assert.deepEqual(failures, []);

  // All of it goes at once: what is on its way, and what kept connections still bring, is served.
  wished = await freePort();
  for (const file of ['gateway.yaml', 'backend.yaml', 'route.yaml']) system.write(file, '');
  await all('the port to be closed', (client) => client.port === wished);
  running = false;
  await Promise.all(load);
  assert.deepEqual(failures, []);

  const { stdout } = await novactl('actors', '--admin', system.admin, '-o', 'json');
  assert.match(stdout, /"restarts": *0/);
  assert.doesNotMatch(stdout, /"restarts": *[1-9]/);
  assert.equal(await system.stop(), 0);
});
