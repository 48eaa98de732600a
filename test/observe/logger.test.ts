import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Problem } from '../../src/model/object.ts';
import { componentLogger, createLogger, type LoggerOptions, logProblem } from '../../src/observe/logger.ts';

const PROBLEM: Problem = {
  severity: 'error',
  file: 'routes.yaml',
  line: 12,
  object: { kind: 'ProxyRoute', namespace: 'default', name: 'api' },
  field: 'spec.rules[0].matches[0].path.value',
  value: '"v1"',
  reason: 'InvalidPath',
  message: '"v1" must start with "/"',
  lastGoodServes: true,
};

function capture(options: LoggerOptions, terminal = false) {
  const destination: PassThrough & { isTTY?: boolean } = new PassThrough();
  if (terminal) destination.isTTY = true;
  const logger = createLogger({ ...options, destination });
  return { logger, written: () => String(destination.read() ?? '') };
}

test('JSON by default, with level, time and component as words', () => {
  const { logger, written } = capture({});
  componentLogger(logger, 'config').info({ objects: 3 }, 'configuration read');
  const line = JSON.parse(written()) as Record<string, unknown>;
  assert.equal(line.level, 'info');
  assert.equal(line.component, 'config');
  assert.equal(line.objects, 3);
  assert.equal(line.msg, 'configuration read');
  assert.ok(!Number.isNaN(Date.parse(String(line.time))));
});

test('text on a terminal, JSON on a terminal when asked for', () => {
  const text = capture({}, true);
  text.logger.info('hello');
  const line = text.written();
  assert.match(line, /INFO/);
  assert.match(line, /hello/);
  assert.ok(!line.includes('{'));
  const json = capture({ format: 'json' }, true);
  json.logger.info('hello');
  assert.equal(JSON.parse(json.written()).msg, 'hello');
});

test('a level leaves out what is below it', () => {
  const { logger, written } = capture({ level: 'warn' });
  logger.info('no');
  logger.warn('yes');
  assert.deepEqual(
    written()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
    ['yes'],
  );
});

test('a problem says file, line, object, field, value and reason in text and in JSON', () => {
  for (const format of ['text', 'json'] as const) {
    const { logger, written } = capture({ format });
    logProblem(componentLogger(logger, 'config'), PROBLEM);
    const line = format === 'text' ? written() : (JSON.parse(written()).msg as string);
    for (const part of [
      'routes.yaml:12',
      'ProxyRoute default/api',
      'spec.rules[0].matches[0].path.value',
      '"v1"',
      'InvalidPath',
      'must start with "/"',
    ]) {
      assert.ok(line.includes(part), `${format}: ${part} in ${line}`);
    }
    if (format === 'text') assert.match(line, /ERROR.*config:/);
  }
  const { logger, written } = capture({ format: 'json' });
  logProblem(logger, { ...PROBLEM, severity: 'unresolved' });
  const line = JSON.parse(written());
  assert.equal(line.level, 'warn');
  assert.deepEqual(line.problem, { ...PROBLEM, severity: 'unresolved' });
});

test('secrets do not reach the log, at any depth that is logged', () => {
  for (const format of ['text', 'json'] as const) {
    const { logger, written } = capture({ format });
    logger.info(
      { authorization: 'HIDE-1', request: { headers: { cookie: 'HIDE-2', 'set-cookie': 'HIDE-3' } } },
      'one',
    );
    logger.info({ a: { b: { c: { password: 'HIDE-4' } } }, tls: { privateKey: 'HIDE-5' } }, 'two');
    const text = written();
    assert.doesNotMatch(text, /HIDE/);
    assert.match(text, /<redacted>/);
  }
});

test('quoted input cannot steer the terminal', () => {
  const { logger, written } = capture({ format: 'text' });
  logProblem(logger, { ...PROBLEM, message: 'not \u001b[2J\u001b]0;gone\u0007' });
  assert.doesNotMatch(written(), /[\u001b\u0007]/);
});
