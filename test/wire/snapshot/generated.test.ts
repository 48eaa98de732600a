import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GENERATED_TYPES, generateProtoTypes } from '../../../proto/generate.ts';

function contents(directory: string): Record<string, string> {
  const files = globSync('**/*.ts', { cwd: directory }).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, file), 'utf8')]));
}

test('the generated types are those of proto/novaedge.proto (npm run generate)', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-proto-'));
  t.after(() => rmSync(directory, { recursive: true }));
  generateProtoTypes(directory);
  assert.ok(Object.keys(contents(directory)).length > 20);
  assert.deepEqual(contents(GENERATED_TYPES), contents(directory));
});
