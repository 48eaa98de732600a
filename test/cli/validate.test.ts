import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { novactl } from './run.ts';

const GOOD = `apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata:
  name: web
spec:
  endpoints:
    - address: 10.0.0.1
      port: 80
`;

const BAD = `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata:
  name: edge
spec:
  listeners:
    - name: http
      port: 99999
      protocol: HTTP
`;

suite('novactl validate', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'novactl-'));
    mkdirSync(join(directory, 'deep'));
    writeFileSync(join(directory, 'good.yaml'), GOOD);
    writeFileSync(join(directory, 'deep', 'bad.yml'), BAD);
    writeFileSync(join(directory, 'notes.txt'), 'not: [yaml');
  });
  after(() => rmSync(directory, { recursive: true }));

  test('a valid file is exit 0, without a server', async () => {
    const ended = await novactl(['validate', 'good.yaml'], { cwd: directory });
    assert.deepEqual(ended, { code: 0, stdout: '1 object in 1 file: all valid\n', stderr: '' });
  });

  test('an error is file:line with object, field and value, and exit 1', async () => {
    const ended = await novactl(['validate', 'good.yaml', 'deep/bad.yml'], { cwd: directory });
    assert.equal(ended.code, 1);
    assert.equal(ended.stderr, '');
    const [problem = '', summary] = ended.stdout.trimEnd().split('\n');
    assert.ok(
      problem.startsWith('deep/bad.yml:8: ProxyGateway default/edge: spec.listeners[0].port: '),
      problem,
    );
    assert.match(problem, /99999/);
    assert.equal(summary, '2 objects in 2 files: 1 error');
  });

  test('a directory is read whole, and standard input is a file', async () => {
    const whole = await novactl(['validate', '-o', 'json', directory]);
    assert.equal(whole.code, 1);
    const report = JSON.parse(whole.stdout);
    assert.equal(report.valid, false);
    assert.equal(report.objects.length, 2);
    assert.equal(report.problems[0].file, join(directory, 'deep', 'bad.yml'));
    const piped = await novactl(['validate', '-'], { stdin: BAD });
    assert.equal(piped.code, 1);
    assert.match(piped.stdout, /^stdin:8: /);
  });

  test('text that is no YAML is a problem with its line, not a crash', async () => {
    const ended = await novactl(['validate', '-'], { stdin: 'kind: [unclosed\n' });
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /^stdin:\d+: /);
    assert.doesNotMatch(ended.stderr + ended.stdout, /\.ts:/);
  });

  test('a file that is not there, and a directory without manifests', async () => {
    const missing = await novactl(['validate', 'nothing.yaml'], { cwd: directory });
    assert.deepEqual(missing, {
      code: 1,
      stdout: '',
      stderr: 'novactl: cannot read nothing.yaml: no such file or directory\n',
    });
    mkdirSync(join(directory, 'empty'));
    const empty = await novactl(['validate', 'empty'], { cwd: directory });
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /no \.yaml, \.yml or \.json file in empty/);
  });
});
