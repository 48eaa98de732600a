import { parse } from 'yaml';
import { Pipeline } from '../../src/config/pipeline.ts';
import { formatProblem } from '../../src/config/problem-text.ts';
import type { SourceChange, SourceItem } from '../../src/config/source/source.ts';
import type { ConfigurationBuild } from '../../src/model/configuration.ts';
import { objectText } from '../../src/model/object.ts';

/** All files there are after one step, by name. */
export type Files = ReadonlyMap<string, string>;

/** `#= step` begins a further state of the files, `#= file NAME` a file in it; without them there is one `in.yaml`. */
export function readSteps(text: string): Files[] {
  const steps: Map<string, string>[] = [new Map()];
  let file = 'in.yaml';
  for (const line of text.split('\n')) {
    const mark = /^#= (step|file)\s*(.*)$/.exec(line);
    if (mark?.[1] === 'step') {
      steps.push(new Map());
      file = 'in.yaml';
    } else if (mark?.[1] === 'file') {
      file = mark[2]!.trim();
      steps.at(-1)!.set(file, '');
    } else {
      const before = steps.at(-1)!.get(file);
      if (before !== undefined || line.trim() !== '') steps.at(-1)!.set(file, `${before ?? ''}${line}\n`);
    }
  }
  return steps;
}

export function changeBetween(before: Files, now: Files): SourceChange {
  const upserts: SourceItem[] = [];
  for (const [id, text] of now) if (before.get(id) !== text) upserts.push({ type: 'text', id, text });
  return { upserts, removals: [...before.keys()].filter((id) => !now.has(id)) };
}

const START = Date.parse('2026-01-01T00:00:00Z');

/** Runs the steps and tells what each gave, as plain data. */
export function runSteps(steps: readonly Files[]): unknown[] {
  let step = 0;
  const pipeline = new Pipeline({ now: () => START + step * 1000 });
  let before: Files = new Map();
  return steps.map((files) => {
    step += 1;
    const build = pipeline.apply(changeBetween(before, files));
    before = files;
    return describe(build);
  });
}

export function describe(build: ConfigurationBuild): unknown {
  const resources = [...build.resources].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    problems: build.problems.map((problem) => `${problem.severity}: ${formatProblem(problem)}`),
    conditions: Object.fromEntries(
      build.objects.map((view) => [
        objectText(view.object),
        view.conditions.map(({ type, status, reason, message, observedGeneration, lastTransitionTime }) => {
          const since = `since ${(Date.parse(lastTransitionTime) - START) / 1000}`;
          return `${type}=${status} ${reason} (generation ${observedGeneration}, ${since})${message === '' ? '' : `: ${message}`}`;
        }),
      ]),
    ),
    resources: Object.fromEntries(resources.map(([key, resource]) => [key, resource.value])),
    ...(build.selectors.size > 0 ? { selectors: Object.fromEntries(build.selectors) } : {}),
    changed: build.changed,
    removed: build.removed,
  };
}

export const readGolden = (text: string): unknown => parse(text);
