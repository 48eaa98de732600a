import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { actorTree, oneByOne, type ShownActor, together } from '../../src/cli/actors/tree.ts';
import { runNovactl } from '../../src/cli/program.ts';
import type { ActorReport } from '../../src/model/actor.ts';
import { agentAdmin, nodeReport, serveFixture } from './fixture.ts';

const SINCE = Date.now() - 60_000;

function actor(
  address: string,
  parent: string | null,
  state: string,
  more: Partial<ActorReport> = {},
): ActorReport {
  const thread = address.split('/')[1]!;
  return {
    address,
    parent,
    thread,
    state,
    reason: 'started',
    since: SINCE,
    restarts: 0,
    mailbox: 0,
    ...more,
  };
}

/** Workers with pools, as an agent reports them. */
function node(
  workers: number,
  pools: number,
  states: (pool: number) => string = () => 'open',
): ActorReport[] {
  const root = 'edge-1/main/supervisor/agent';
  const reports = [actor(root, null, 'running')];
  for (let worker = 0; worker < workers; worker += 1) {
    const thread = `edge-1/dataplane-${worker}`;
    const owner = `edge-1/main/dataplane-worker/${worker}`;
    reports.push(actor(owner, root, 'ready'), actor(`${thread}/supervisor/pools`, owner, 'running'));
    for (let pool = 0; pool < pools; pool += 1)
      reports.push(
        actor(`${thread}/upstream-pool/default/p${pool}`, `${thread}/supervisor/pools`, states(pool)),
      );
  }
  return reports;
}

const outline = (shown: readonly ShownActor[], indent = ''): string =>
  shown.map((one) => `${indent}${one.label}\n${outline(one.children, `${indent}  `)}`).join('');

suite('the tree of actors', () => {
  test('many alike are told together, those in another state for themselves', () => {
    const shown = together(actorTree(node(1, 500, (pool) => (pool === 7 ? 'given_up' : 'open'))));
    assert.equal(
      outline(shown),
      `edge-1/main/supervisor/agent
  dataplane-worker/0
    dataplane-0/supervisor/pools
      upstream-pool (499)
      upstream-pool/default/p7
`,
    );
  });

  test('one that does not live at the moment keeps its place, and supervisors the order of their start', () => {
    const workers = 'n/main/supervisor/workers';
    const names = (reports: readonly ActorReport[]) =>
      oneByOne(actorTree(reports))[0]?.children.map((one) => one.label);
    const worker = (name: number) => actor(`n/main/dataplane-worker/${name}`, workers, 'ready');
    assert.deepEqual(names([actor(workers, null, 'running'), worker(1), worker(10), worker(0), worker(2)]), [
      'dataplane-worker/0',
      'dataplane-worker/1',
      'dataplane-worker/2',
      'dataplane-worker/10',
    ]);
    const agent = 'n/main/supervisor/agent';
    const below = ['rollout', 'supervisor/workers', 'supervisor/a', 'config-stream'];
    const children = below.map((name) => actor(`n/main/${name}`, agent, 'running'));
    assert.deepEqual(names([actor(agent, null, 'running'), ...children]), [
      'rollout',
      'workers',
      'a',
      'config-stream',
    ]);
  });

  test('many workers are told together, with what lives on them', () => {
    assert.equal(
      outline(together(actorTree(node(64, 3)))),
      `edge-1/main/supervisor/agent
  dataplane-worker (64)
    pools (64)
      upstream-pool (192)
`,
    );
    assert.match(outline(together(actorTree(node(2, 3)))), /dataplane-worker\/0[\s\S]*dataplane-worker\/1/);
  });

  test('every actor is in exactly one line, whatever the tree', () => {
    const trees = fc
      .array(
        fc.record({
          parent: fc.nat(200),
          kind: fc.constantFrom('a', 'b'),
          state: fc.constantFrom('x', 'failed'),
        }),
        {
          maxLength: 120,
        },
      )
      .map((nodes) => {
        const address = (index: number) => `n/main/${nodes[index]!.kind}/${index}`;
        return nodes.map(({ parent, state }, index) =>
          actor(address(index), index === 0 ? null : address(parent % index), state),
        );
      });
    const lines = (shown: readonly ShownActor[]): string[] =>
      shown.flatMap((one) => [...one.actors.map(({ address }) => address), ...lines(one.children)]);
    fc.assert(
      fc.property(trees, (reports) => {
        const all = reports.map(({ address }) => address).sort();
        assert.deepEqual(lines(together(actorTree(reports))).sort(), all);
        assert.deepEqual(lines(oneByOne(actorTree(reports))).sort(), all);
      }),
    );
  });
});

suite('novactl actors on a terminal', () => {
  async function shown(
    t: TestContext,
    reports: ActorReport[],
    columns: number,
    ...args: string[]
  ): Promise<string> {
    const { admin } = await serving(t, () => reports);
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns });
    const terminal = { stdin: new PassThrough(), stdout, stderr: new PassThrough(), env: {}, now: Date.now };
    assert.equal(await runNovactl(['--admin', admin, 'actors', '--no-color', ...args], '0', terminal), 0);
    return String(stdout.read());
  }

  test('fits into 80 columns, and loses nothing of who is not well', async (t) => {
    const long = 'gave_up: the certificate of secret default/very-long-name-of-a-secret has no key';
    const reports = node(2, 500).map((one) =>
      one.address === 'edge-1/dataplane-1/upstream-pool/default/p3'
        ? { ...one, state: 'given_up', reason: long, restarts: 5 }
        : one,
    );
    const narrow = await shown(t, reports, 80);
    for (const line of narrow.split('\n')) assert.ok(line.length <= 80 || line === `   ${long}`, line);
    assert.ok(narrow.includes(long));
    assert.match(narrow, /upstream-pool\/default\/p3 +given_up +\S+ +5/);
    assert.ok(narrow.split('\n').length < 20);
    assert.match(await shown(t, reports, 200), /MAILBOX +THREAD +REASON/);
  });

  test('--all and a path show each one', async (t) => {
    const all = await shown(t, node(1, 50), 80, '--all');
    assert.equal(all.split('\n').filter((line) => line.includes('upstream-pool')).length, 50);
    const one = await shown(t, node(2, 50), 80, 'upstream-pool/default/p7');
    assert.equal(one.split('\n').filter((line) => line.includes('upstream-pool')).length, 2);
    assert.match(one, /dataplane-worker\/1/);
  });
});

/** An admin server that can go away and come back under its address. */
async function serving(t: TestContext, reports: () => readonly ActorReport[]) {
  const agent = agentAdmin({ report: async () => ({ ...nodeReport('edge-1'), actors: reports() }) });
  let server = await serveFixture({ agent });
  t.after(() => server.close());
  const admin = server.address;
  return {
    admin,
    leave: () => server.close(),
    async comeBack() {
      server = await serveFixture({ agent, listen: admin });
    },
  };
}

suite('novactl actors --watch', () => {
  /** `until` waits for what is to be seen. */
  async function watching(
    t: TestContext,
    args: readonly string[],
    start: (admin: readonly string[]) => Watched,
  ) {
    let reports: readonly ActorReport[] = node(1, 2);
    const server = await serving(t, () => reports);
    const watched = start([
      '--admin',
      server.admin,
      'actors',
      '--watch',
      '--interval',
      '0.1',
      '--no-color',
      ...args,
    ]);
    let seen = '';
    watched.output.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    return {
      ...server,
      ...watched,
      raw: () => seen,
      async until(pattern: RegExp): Promise<string> {
        while (!pattern.test(stripVTControlCharacters(seen))) await once(watched.output, 'data');
        const text = stripVTControlCharacters(seen);
        seen = '';
        return text;
      },
      change(next: readonly ActorReport[]) {
        reports = next;
      },
    };
  }

  interface Watched {
    readonly output: NodeJS.ReadableStream;
    readonly quit: (key: string) => void;
    readonly ended: Promise<number>;
  }

  const onTerminal = (t: TestContext, ...args: string[]) =>
    watching(t, args, (command) => {
      const stdin = new PassThrough();
      const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 12 });
      const terminal = { stdin, stdout: output, stderr: new PassThrough(), env: {}, now: Date.now };
      return {
        output,
        quit: (key) => void stdin.write(key),
        ended: runNovactl(command, '0', terminal),
      };
    });

  const asProcess = (t: TestContext, ...args: string[]) =>
    watching(t, args, (command) => {
      const program = fileURLToPath(new URL('../../src/bin/novactl.ts', import.meta.url));
      const child = spawn(process.execPath, [program, ...command], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, LANG: 'C.UTF-8' },
      });
      t.after(() => child.kill('SIGKILL'));
      const ended = once(child, 'exit').then(([code]) => Number(code));
      return { output: child.stdout, quit: () => void child.kill('SIGINT'), ended };
    });

  const moved = (state: string): ActorReport[] =>
    node(1, 2, (pool) => (pool === 1 ? state : 'open')).map((one) =>
      one.state === state ? { ...one, reason: 'drain_requested', since: SINCE + 9_000 } : one,
    );

  test('on a terminal it redraws in place, marks what changed, and q leaves the screen as it was', async (t) => {
    const watch = await onTerminal(t);
    await watch.until(/upstream-pool\/default\/p1 +open +\d+s/);
    watch.change(moved('draining'));
    const drawn = await watch.until(/p1 +draining \* /);
    assert.match(drawn, /p0 +open +\d/);
    watch.quit('q');
    assert.equal(await watch.ended, 0);
    assert.ok(watch.raw().endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l'));
  });

  test('what does not fit on the terminal is counted', async (t) => {
    const watch = await onTerminal(t, '--all');
    watch.change(node(1, 40));
    await watch.until(/and \d+ lines more/);
    watch.quit('\u0003');
    assert.equal(await watch.ended, 0);
  });

  test('an agent that restarts is waited for, and said so', async (t) => {
    const watch = await onTerminal(t);
    await watch.until(/p1/);
    await watch.leave();
    await watch.until(/no admin server answers at \S+ \(connection refused\), for/);
    await watch.comeBack();
    await watch.until(/answers again, after/);
    watch.quit('q');
    assert.equal(await watch.ended, 0);
  });

  test('elsewhere each change is a line', async (t) => {
    const watch = await asProcess(t);
    await watch.until(/watching 5 actors\n/);
    watch.change(moved('draining'));
    const text = await watch.until(/draining/);
    assert.match(
      text,
      /^[\d:.]+ {2}edge-1\/dataplane-0\/upstream-pool\/default\/p1 {2}open → draining {2}drain_requested\n$/,
    );
    watch.change(node(1, 1));
    await watch.until(/p1 {2}ended, was draining\n/);
    await watch.leave();
    await watch.until(/connection refused\); asking on\n/);
    await watch.comeBack();
    await watch.until(/answers again\n/);
    watch.quit('');
    assert.equal(await watch.ended, 0);
  });

  test('as JSON, one object a line', async (t) => {
    const watch = await asProcess(t, '-o', 'json');
    const first = JSON.parse(await watch.until(/\n/)) as { type: string; actors: unknown[] };
    assert.deepEqual([first.type, first.actors.length], ['watching', 5]);
    watch.change(moved('draining'));
    const change = JSON.parse(await watch.until(/\n/)) as { type: string; actor: ActorReport };
    assert.deepEqual([change.type, change.actor.state], ['changed', 'draining']);
    watch.quit('');
    assert.equal(await watch.ended, 0);
  });
});
