import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { intersectHostname, intersectHostnames } from '../../src/config/hostname.ts';
import { Pipeline } from '../../src/config/pipeline.ts';
import type { ConfigurationBuild } from '../../src/model/configuration.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { describe as describeBuild } from './golden-case.ts';

/** A small world with references, conflicts, a missing backend and an invalid object; names tell nothing of the order. */
const DOCUMENTS = readFileSync(new URL('world.yaml', import.meta.url), 'utf8').split('---\n');

const now = () => 0;

/** What must not depend on the way: everything but lines, files and what the last step changed. */
function essence(build: ConfigurationBuild): unknown {
  const { resources } = describeBuild(build) as { resources: unknown };
  const problems = build.problems.map(({ file: _file, line: _line, ...rest }) => JSON.stringify(rest)).sort();
  return {
    resources,
    problems,
    selectors: [...build.selectors],
    conditions: build.objects.map((view) => [view.object, view.conditions]),
  };
}

function whole(texts: readonly string[]): ConfigurationBuild {
  const pipeline = new Pipeline({ now });
  return pipeline.apply({
    upserts: texts.map((text, index) => ({ type: 'text', id: `${index}.yaml`, text })),
    removals: [],
  });
}

const expected = essence(whole([DOCUMENTS.join('---\n')]));
const shuffled = fc.shuffledSubarray(DOCUMENTS, { minLength: DOCUMENTS.length, maxLength: DOCUMENTS.length });

describe('order', () => {
  it('of files does not matter', () => {
    fc.assert(
      fc.property(shuffled, (documents) => assert.deepEqual(essence(whole(documents)), expected)),
      { numRuns: 50 },
    );
  });

  it('of documents in a file does not matter', () => {
    fc.assert(
      fc.property(shuffled, (documents) =>
        assert.deepEqual(essence(whole([documents.join('---\n')])), expected),
      ),
      { numRuns: 50 },
    );
  });

  it('of arrival does not matter, whatever came and went in between', () => {
    const noise = fc.array(fc.nat(DOCUMENTS.length - 1), { maxLength: 6 });
    fc.assert(
      fc.property(shuffled, noise, (documents, gone) => {
        const pipeline = new Pipeline({ now });
        const item = (document: string) =>
          ({ type: 'text', id: `${DOCUMENTS.indexOf(document)}.yaml`, text: document }) as const;
        pipeline.apply({ upserts: [], removals: [] });
        for (const document of documents) pipeline.apply({ upserts: [item(document)], removals: [] });
        for (const index of gone) {
          pipeline.apply({ upserts: [], removals: [`${index}.yaml`] });
          pipeline.apply({ upserts: [item(DOCUMENTS[index]!)], removals: [] });
        }
        assert.deepEqual(essence(pipeline.current()), expected);
      }),
      { numRuns: 50 },
    );
  });

  it('the differences of all builds add up to the last one', () => {
    fc.assert(
      fc.property(
        shuffled,
        fc.array(fc.nat(DOCUMENTS.length - 1), { maxLength: 10 }),
        (documents, toggles) => {
          const pipeline = new Pipeline({ now });
          const held = new Map<string, unknown>();
          const present = new Set<number>();
          const step = (index: number): void => {
            const id = `${index}.yaml`;
            const build = present.delete(index)
              ? pipeline.apply({ upserts: [], removals: [id] })
              : pipeline.apply({ upserts: [{ type: 'text', id, text: DOCUMENTS[index]! }], removals: [] });
            for (const key of build.changed) held.set(key, build.resources.get(key));
            for (const key of build.removed) assert.ok(held.delete(key), key);
            assert.deepEqual([...held.keys()].sort(), [...build.resources.keys()].sort());
            for (const [key, resource] of build.resources) {
              assert.equal(resourceKey(resource), key);
              assert.equal(held.get(key), resource, 'the same JS object unless it is named as changed');
            }
          };
          for (const document of documents) {
            const index = DOCUMENTS.indexOf(document);
            step(index);
            present.add(index);
          }
          for (const index of toggles) {
            const was = present.has(index);
            step(index);
            if (!was) present.add(index);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('host name intersection', () => {
  const label = fc.constantFrom('a', 'b', 'example', 'test');
  const hostname = fc
    .tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 4 }))
    .map(([wild, labels]) => (wild ? '*.' : '') + labels.join('.'));
  /** By definition: `*.` stands for one or more labels. */
  const takes = (pattern: string, host: string): boolean =>
    pattern.startsWith('*.')
      ? host.split('.').length > pattern.split('.').length - 1 && host.endsWith(pattern.slice(1))
      : pattern === host;
  const host = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));

  it('is commutative and idempotent', () => {
    fc.assert(
      fc.property(hostname, hostname, (a, b) => {
        assert.equal(intersectHostname(a, b), intersectHostname(b, a));
        assert.equal(intersectHostname(a, a), a);
      }),
    );
  });

  it('takes exactly the hosts that both take', () => {
    fc.assert(
      fc.property(hostname, hostname, host, (a, b, name) => {
        const both = intersectHostname(a, b);
        assert.equal(both !== null && takes(both, name), takes(a, name) && takes(b, name));
      }),
      { numRuns: 2000 },
    );
  });

  it('of sets takes exactly the hosts that both take, and empty is every host', () => {
    const set = fc.array(hostname, { maxLength: 3 });
    const any = (patterns: readonly string[], name: string) =>
      patterns.length === 0 || patterns.some((one) => takes(one, name));
    fc.assert(
      fc.property(set, set, host, (listener, route, name) => {
        const both = intersectHostnames(listener, route);
        // Empty means: whatever the listener takes.
        const found = both !== null && (both.length === 0 ? any(listener, name) : any(both, name));
        assert.equal(found, any(listener, name) && any(route, name));
      }),
      { numRuns: 2000 },
    );
  });
});
