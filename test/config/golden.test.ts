import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readSteps, runSteps } from './golden-case.ts';

const folder = fileURLToPath(new URL('golden/', import.meta.url));
const write = process.env.NOVAEDGE_GOLDEN === 'write';

describe('golden files', () => {
  const inputs = globSync(`${folder}*.in.yaml`).sort();
  it('are found', () => assert.ok(inputs.length >= 25, `${inputs.length} cases`));
  for (const input of inputs) {
    it(basename(input, '.in.yaml'), () => {
      const steps = runSteps(readSteps(readFileSync(input, 'utf8')));
      const text = stringify(steps.length === 1 ? steps[0] : { steps }, {
        lineWidth: 0,
        aliasDuplicateObjects: false,
      });
      const output = input.replace(/\.in\.yaml$/, '.out.yaml');
      if (write) writeFileSync(output, text);
      assert.equal(text, readFileSync(output, 'utf8'));
    });
  }
});
