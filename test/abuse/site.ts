import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { stringify } from 'yaml';
import { issue } from '../config/issued.ts';
import {
  backendManifest,
  freePort,
  routeManifest,
  type Scope,
  type Standalone,
  standalone,
} from '../e2e/harness.ts';
import type { Target } from './attack.ts';
import type { Attacked } from './attacker.ts';
import type { Neighbourly } from './neighbour.ts';

const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 50;

async function told<T>(worker: Worker, ask = true): Promise<T> {
  if (ask) worker.postMessage(null);
  const [said] = (await once(worker, 'message')) as [T];
  return said;
}

/** Written until its end, each line as it comes. */
async function line(child: ChildProcess): Promise<string> {
  let all = '';
  for await (const part of child.stdout!) {
    all += String(part);
    if (all.includes('\n')) break;
  }
  return all;
}

export interface Measured {
  readonly attacked: Attacked;
  /** Of the proxy's process during the attack, beyond what its neighbour causes. */
  readonly cpuMs: number;
  readonly neighbour: Neighbourly;
  /** Requests that reached the backend for the attacker. */
  readonly backendRequests: number;
  /** Resident memory in MB: before, the most that was seen, and after it. */
  readonly before: number;
  readonly peak: number;
  readonly after: number;
  /** What was counted in `http2_faults` meanwhile. */
  readonly faults: ReadonlyMap<string, number>;
}

/** A proxy in a process of its own with one worker, a backend, and a neighbour that behaves. */
export class Site {
  readonly system: Standalone;
  readonly #ports: Readonly<Record<Target, number>>;
  readonly #backend: Worker;
  readonly #neighbour: Worker;

  private constructor(
    system: Standalone,
    ports: Readonly<Record<Target, number>>,
    backend: Worker,
    neighbour: Worker,
  ) {
    this.system = system;
    this.#ports = ports;
    this.#backend = backend;
    this.#neighbour = neighbour;
  }

  static async start(scope: Scope): Promise<Site> {
    // The neighbour's is its own: what is shared is the proxy.
    const [backend, other] = [0, 1].map(() => new Worker(new URL('./backend.ts', import.meta.url))) as [
      Worker,
      Worker,
    ];
    for (const each of [backend, other]) scope.after(() => each.terminate());
    const [backendPort, otherPort] = await Promise.all([
      told<number>(backend, false),
      told<number>(other, false),
    ]);
    const [impatient, secure] = [await freePort(), await freePort()];
    const certificate = await issue({ names: ['localhost'] });
    const second = { header: '1s', bodyIdle: '1s', idle: '2s', write: '1s' };
    const gateway = stringify({
      apiVersion: 'novaedge.io/v1alpha1',
      kind: 'ProxyGateway',
      metadata: { name: 'attacked' },
      spec: {
        listeners: [
          { name: 'impatient', port: impatient, protocol: 'HTTP', http: { timeouts: second } },
          {
            name: 'secure',
            port: secure,
            protocol: 'HTTPS',
            tls: { handshakeTimeout: '1s', files: [{ certificate: 'a.crt', key: 'a.key' }] },
          },
        ],
      },
    });
    const parents = '  parentRefs: [{ name: edge }, { name: attacked }]\n';
    const routes = [routeManifest('all', '/', 'all'), routeManifest('neighbour', '/neighbour', 'neighbour')];
    const manifests = [
      backendManifest('all', backendPort),
      backendManifest('neighbour', otherPort),
      ...routes.map((route) => route.replace('spec:\n', `spec:\n${parents}`)),
    ];
    const system = await standalone(
      scope,
      {
        'app.yaml': manifests.join('---\n'),
        'attacked.yaml': gateway,
        'a.crt': certificate.certificate,
        'a.key': certificate.key,
      },
      '--workers',
      '1',
    );
    const neighbour = new Worker(new URL('./neighbour.ts', import.meta.url), {
      workerData: { port: system.port },
    });
    scope.after(() => neighbour.terminate());
    return new Site(system, { usual: system.port, impatient, secure }, backend, neighbour);
  }

  /** The neighbour alone for so long: what is usual, to compare with. */
  async calm(milliseconds: number): Promise<{ readonly neighbour: Neighbourly; readonly cpuPerMs: number }> {
    await told<Neighbourly>(this.#neighbour);
    const [cpu, from] = [this.#cpuMs(), performance.now()];
    await pass(milliseconds);
    const cpuPerMs = (this.#cpuMs() - cpu) / (performance.now() - from);
    return { neighbour: await told<Neighbourly>(this.#neighbour), cpuPerMs };
  }

  /** `settled`: how much more than before may be left; it is waited for, up to `settleMs`. */
  async attack(
    name: string,
    target: Target,
    cpuPerMs: number,
    settled: number,
    settleMs: number,
  ): Promise<Measured> {
    const program = fileURLToPath(new URL('./attacker.ts', import.meta.url));
    const child = spawn(process.execPath, [program, name, String(this.#ports[target])], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the attacker of ${name} ended: ${code}`)));
    });
    await told<Neighbourly>(this.#neighbour);
    const requestsBefore = await told<number>(this.#backend);
    const faultsBefore = await this.#faults();
    const before = this.#residentMb();
    let peak = before;
    const sampling = setInterval(() => {
      peak = Math.max(peak, this.#residentMb());
    }, SAMPLE_MS);
    const [cpu, from] = [this.#cpuMs(), performance.now()];
    child.stdin.write('go\n');
    const attacked = JSON.parse(await line(child)) as Attacked;
    const lasted = performance.now() - from;
    const cpuMs = this.#cpuMs() - cpu - lasted * cpuPerMs;
    const neighbour = await told<Neighbourly>(this.#neighbour);
    clearInterval(sampling);
    peak = Math.max(peak, this.#residentMb());
    const backendRequests = (await told<number>(this.#backend)) - requestsBefore;
    const faults = new Map<string, number>();
    for (const [reason, count] of await this.#faults()) {
      const more = count - (faultsBefore.get(reason) ?? 0);
      if (more > 0) faults.set(reason, more);
    }
    let after = this.#residentMb();
    for (
      const until = performance.now() + settleMs;
      after - before > settled && performance.now() < until;
    ) {
      await pass(SAMPLE_MS);
      after = Math.min(after, this.#residentMb());
    }
    return { attacked, cpuMs: Math.max(0, cpuMs), neighbour, backendRequests, before, peak, after, faults };
  }

  async #faults(): Promise<Map<string, number>> {
    const metrics = await (await fetch(`http://${this.system.admin}/metrics`)).text();
    const found = new Map<string, number>();
    for (const [, reason, count] of metrics.matchAll(/^http2_faults\{.*?reason="(\w+)".*?\} (\d+)/gm))
      found.set(reason!, (found.get(reason!) ?? 0) + Number(count));
    return found;
  }

  /** User and system time of the whole process so far. */
  #cpuMs(): number {
    const stat = readFileSync(`/proc/${this.system.process.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
  }

  #residentMb(): number {
    const status = readFileSync(`/proc/${this.system.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) / 1024;
  }
}
