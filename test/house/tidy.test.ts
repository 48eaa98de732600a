import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { importsOf, projectFiles, readProjectFile, root } from './sources.ts';

const files = projectFiles();
const code = files.filter((file) => /(?<!\.d)\.ts$/.test(file) && !file.includes('/generated/'));

test('no dead files: everything is reached from a program, a script or a bench', () => {
  const entries = code.filter((file) => /^(src\/bin|scripts|bench|simulations)\/[^/]+\.ts$/.test(file));
  const reached = new Set(entries);
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const { to } of importsOf(file)) {
      if (!to.endsWith('.ts') || reached.has(to) || !existsSync(join(root, to))) continue;
      reached.add(to);
      queue.push(to);
    }
  }
  const dead = code.filter(
    (file) => /^(src|actors|supervisors|simulations|bench)\//.test(file) && !reached.has(file),
  );
  assert.deepEqual(dead, []);
});

test('every import of a project file resolves', () => {
  const broken = code
    .flatMap(importsOf)
    .filter(({ to }) => /\.(ts|json)$/.test(to) && !existsSync(join(root, to)))
    .map(({ from, to }) => `${from} -> ${to}`);
  assert.deepEqual(broken, []);
});

test('every dependency is used and explained in the README', () => {
  const manifest = JSON.parse(readProjectFile('package.json')) as { dependencies: Record<string, string> };
  const used = new Set(code.flatMap(importsOf).map(({ to }) => to));
  const readme = readProjectFile('README.md');
  const unused = Object.keys(manifest.dependencies).filter((name) => !used.has(name));
  const unexplained = Object.keys(manifest.dependencies).filter((name) => !readme.includes(`\`${name}\``));
  assert.deepEqual({ unused, unexplained }, { unused: [], unexplained: [] });
});

test('links in the documents lead somewhere', () => {
  const broken: string[] = [];
  for (const file of files.filter((each) => each.endsWith('.md'))) {
    for (const [, target] of readProjectFile(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      if (!existsSync(join(root, dirname(file), target!))) broken.push(`${file} -> ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('source files stay small: one idea each', () => {
  const long = code
    .filter((file) => /^(src|actors|supervisors)\//.test(file))
    .map((file) => ({ file, lines: readProjectFile(file).split('\n').length }))
    .filter(({ lines }) => lines > 600);
  assert.deepEqual(long, []);
});

test('nothing is left unfinished or switched off', () => {
  const marks = new RegExp(
    `\\b(${['TO', 'FIX', 'XX'].map((word, i) => word + ['DO', 'ME', 'X'][i]).join('|')})\\b|\\.only\\(|@ts-(ignore|nocheck)|\\bas any[;,)\\].]|: any[;,)=[]`,
  );
  const found = code.filter(
    (file) => file !== 'test/house/tidy.test.ts' && marks.test(readProjectFile(file)),
  );
  assert.deepEqual(found, []);
});

test('the lock file names no registry', () => {
  assert.doesNotMatch(readProjectFile('package-lock.json'), /"resolved":/);
});
