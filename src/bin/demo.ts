import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { DEMO_BACKENDS, startDemoBackends } from './demo-backend.ts';
import { StartError } from './exit-code.ts';
import { type Running, runUntilSignal } from './lifecycle.ts';
import { startStandalone } from './standalone.ts';

export interface DemoOptions {
  readonly admin: string;
}

const samples = fileURLToPath(new URL('../../deploy/samples', import.meta.url));

export function runDemo(options: DemoOptions, logger: Logger): Promise<void> {
  return runUntilSignal(logger, () => startDemo(options, logger));
}

/** The standalone system on the samples, with three small backends; its data directory goes when it stops. */
async function startDemo({ admin }: DemoOptions, logger: Logger): Promise<Running> {
  const opened = new AsyncDisposableStack();
  try {
    const data = mkdtempSync(join(tmpdir(), 'novaedge-demo-'));
    opened.defer(() => rmSync(data, { recursive: true, force: true }));
    const backends = await startDemoBackends().catch((error: Error) => {
      throw new StartError(`the demo's backends cannot start: ${error.message}`);
    });
    opened.defer(() => backends.close());
    const system = await startStandalone(
      {
        config: samples,
        data,
        bind: '127.0.0.1',
        workers: availableParallelism(),
        admin,
        node: 'demo',
        labels: { 'novaedge-role': 'edge' },
        drainTimeout: 10_000,
      },
      logger,
    );
    opened.defer(() => system.stop());
    await serving(system.admin);
    process.stdout.write(whatToTry(system.admin, data));
    return { stop: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Waits until the system is ready; if it does not get there, the log has said why. */
async function serving(admin: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await fetch(`http://${admin}/readyz`)).ok) return;
    await sleep(50);
  }
}

function whatToTry(admin: string, data: string): string {
  const backends = DEMO_BACKENDS.map(({ name, port }) => `${name} ${port}`).join(', ');
  const manifests = relative('', samples) || samples;
  return `
NovaEdge runs with the manifests of ${manifests},
in front of backends on 127.0.0.1: ${backends}.

Try in another terminal:
  curl http://app.localhost:8080/                          by host, by turns
  curl http://api.localhost:8080/v1/users                  by path, adds a header
  curl -H 'X-Canary: always' http://api.localhost:8080/v1  by header
  curl -i http://redirect.demo.localhost:8080/shop         a redirect
  curl -ik https://secure.demo.localhost:8443/             TLS and HTTP/2
  npx novactl topology graph                               what leads where
  npx novactl actors --watch                               what lives, and how
  npx novactl gateways | routes | backends | stats | problems
  npx novactl explain route/default/app ${data}

Edit a file in ${manifests} and save it: it is in effect at once.
Write something wrong: it is explained here and by novactl, and what served
serves on.

Admin    http://${admin}/
Metrics  http://${admin}/metrics
Journal  ${join(data, 'journal')}
Ctrl-C drains and leaves nothing behind.

`;
}
