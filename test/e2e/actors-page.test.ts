import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { novactl, root } from './harness.ts';

const file = join(root, 'docs/actors.md');
const seen = readFileSync(join(root, 'simulations/recordings/worker-dies.txt'), 'utf8')
  .trimEnd()
  .split('\n\n');

/** Every command of the page with its output as it is now; what people saw as it was recorded. */
async function upToDate(page: string): Promise<{ text: string; commands: number }> {
  let text = '';
  let end = 0;
  let commands = 0;
  let sections = 0;
  for (const { 0: block, 1: kind, 2: body, index } of page.matchAll(
    /^```(console|text)\n([\s\S]*?)^```$/gm,
  )) {
    const command = /^\$ npx novactl (.*)$/m.exec(body!)?.[1];
    let inside = `${seen[sections]}\n`;
    if (kind === 'text') sections += 1;
    else {
      assert.ok(command !== undefined, `a command: ${body}`);
      const { code, stdout, stderr } = await novactl(...command.split(' '));
      assert.equal(code, 0, stderr);
      inside = `$ npx novactl ${command}\n${stdout}${stderr}`;
      commands += 1;
    }
    text += `${page.slice(end, index)}\`\`\`${kind}\n${inside}\`\`\``;
    end = index + block.length;
  }
  assert.equal(sections, seen.length);
  return { text: text + page.slice(end), commands };
}

test('the commands of the page about actors print what it shows', async () => {
  const page = readFileSync(file, 'utf8');
  const { text, commands } = await upToDate(page);
  assert.ok(commands >= 4, `${commands} commands`);
  if (process.env.NOVAEDGE_GOLDEN === 'write') writeFileSync(file, text);
  else assert.equal(page, text);
});
