import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { GENERATORS, staleFiles } from '../../scripts/generate.ts';
import { customResourceDefinition } from '../../src/config/crds/custom-resource-definition.ts';
import { CUSTOM_KINDS } from '../../src/config/crds/kinds.ts';
import { CONFIG_REASONS } from '../../src/config/reasons.ts';
import { validateFiles, validateText } from '../../src/config/validate-files.ts';

type Schema = Readonly<Record<string, unknown>>;

describe('generated files', () => {
  it('are as they would be generated now', async () => assert.deepEqual(await staleFiles(), []));

  it('have no strangers beside them', async () => {
    const generated = new Set(
      (await Promise.all(GENERATORS.map((one) => one.files()))).flatMap((files) => [...files.keys()]),
    );
    const root = new URL('../../', import.meta.url).pathname;
    for (const pattern of ['deploy/crds/*', 'src/wire/snapshot/generated/**/*.ts'])
      for (const file of globSync(pattern, { cwd: root })) assert.ok(generated.has(file), file);
  });

  it('have structural schemas (apiextensions.k8s.io/v1)', () => {
    const check = (schema: Schema, path: string): void => {
      if (schema['x-kubernetes-int-or-string'] !== true)
        assert.equal(typeof schema.type, 'string', `${path} has a type`);
      assert.ok(!(schema.properties !== undefined && schema.additionalProperties !== undefined), path);
      assert.equal(schema.uniqueItems, undefined, path);
      for (const name of (schema.required as string[] | undefined) ?? []) {
        assert.ok(name in (schema.properties as object), `${path}.${name} is required and there`);
      }
      for (const [name, property] of Object.entries((schema.properties ?? {}) as Record<string, Schema>))
        check(property, `${path}.${name}`);
      if (schema.type === 'array') check(schema.items as Schema, `${path}[]`);
      if (typeof schema.additionalProperties === 'object')
        check(schema.additionalProperties as Schema, `${path}{}`);
    };
    for (const kind of CUSTOM_KINDS) {
      const { spec } = customResourceDefinition(kind) as {
        spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
      };
      check(spec.versions[0]!.schema.openAPIV3Schema, kind.kind);
    }
  });
});

describe('samples', () => {
  const root = new URL('../../deploy/samples/', import.meta.url).pathname;
  it('of the demo are without any problem', () => {
    const files = globSync('*.yaml', { cwd: root }).map((path) => ({
      path,
      text: readFileSync(root + path, 'utf8'),
    }));
    const { objects, problems } = validateFiles(files);
    assert.deepEqual(problems, []);
    assert.ok(objects.some((view) => view.resources.includes('listener/default/external-gateway/http')));
    assert.ok(objects.some((view) => view.resources.includes('endpoint/default/app-backend/127.0.0.1:9002')));
  });

  it('of the reference page are accepted', () => {
    for (const kind of CUSTOM_KINDS) {
      const { problems } = validateText(`${kind.kind}.yaml`, kind.sample);
      assert.deepEqual(
        problems.filter((problem) => problem.severity === 'error'),
        [],
      );
      assert.ok(
        problems.every((problem) => problem.severity === 'warning'),
        'unresolved references are warnings here',
      );
    }
  });
});

describe('reasons', () => {
  it('are CamelCase and all used', () => {
    const root = new URL('../../src/config/', import.meta.url).pathname;
    const sources = globSync('**/*.ts', { cwd: root, exclude: (file) => file.endsWith('reasons.ts') })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(root + file, 'utf8'))
      .join('\n');
    for (const reason of Object.keys(CONFIG_REASONS)) {
      assert.match(reason, /^[A-Z][A-Za-z]+$/);
      assert.ok(sources.includes(`'${reason}'`), `${reason} is used`);
    }
  });
});
