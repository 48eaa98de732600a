import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runNovactl } from '../../src/cli/program.ts';
import { controllerAdmin, serveFixture } from './fixture.ts';

suite('novactl on a terminal', () => {
  let admin = '';
  let close = async (): Promise<void> => {};
  before(async () => {
    const server = await serveFixture({ controller: controllerAdmin() });
    admin = server.address;
    close = server.close;
  });
  after(() => close());

  async function onTerminal(args: string[], env: Record<string, string> = {}, columns = 90): Promise<string> {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns });
    const stderr = new PassThrough();
    const terminal = { stdin: new PassThrough(), stdout, stderr, env, now: Date.now };
    assert.equal(await runNovactl(['--admin', admin, ...args], '0.1.0', terminal), 0);
    let text = '';
    for (let piece = stdout.read(); piece !== null; piece = stdout.read()) text += String(piece);
    return text;
  }

  test('colours, unless they are turned off', async () => {
    assert.match(await onTerminal(['nodes']), /\u001b\[32myes\u001b\[39m/);
    assert.match(await onTerminal(['topology', 'graph']), /\u001b\[31m✗\u001b\[39m/);
    for (const plain of [
      await onTerminal(['nodes', '--no-color']),
      await onTerminal(['nodes'], { NO_COLOR: '1' }),
    ]) {
      assert.doesNotMatch(plain, /\u001b/);
    }
    assert.doesNotMatch(await onTerminal(['nodes', '-o', 'json']), /\u001b/);
  });

  test('a reason that does not fit stands below its row, and -o wide leaves the row whole', async () => {
    const narrow = await onTerminal(['nodes', '--no-color']);
    assert.match(
      narrow,
      /5h12m\n {3}listener\/default\/external-gateway\/admin: AddressInUse: port 8081 is in use\n$/,
    );
    assert.match(await onTerminal(['nodes', '--no-color', '-o', 'wide']), /5h12m {3}listener\/default/);
  });

  test('explain takes two lines an event where the terminal is narrow', async () => {
    const file = fileURLToPath(new URL('../../simulations/recordings/worker-dies.ndjson', import.meta.url));
    const lines = async (columns: number) =>
      (
        await onTerminal(['explain', 'dataplane-1', '--at', 'main.1:30', file], { NO_COLOR: '1' }, columns)
      ).split('\n');
    const wide = await lines(180);
    assert.ok(
      wide.some((line) =>
        /main\.1:27 .*child\.exited .*a mistake nobody knew of +running +child_failed/.test(line),
      ),
    );
    const narrow = await lines(80);
    const at = narrow.findIndex((line) => / {2}main\.1:27 {2}main\/supervisor\/workers$/.test(line));
    assert.match(
      narrow[at + 1]!,
      /^ {2}child\.exited .*a mistake nobody knew of → running \(child_failed\)$/,
    );
    assert.ok(!narrow.some((line) => line.startsWith('TIME')));
  });
});
