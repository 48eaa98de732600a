import type { ObjectView } from '../model/configuration.ts';
import type { Problem } from '../model/object.ts';
import { Pipeline } from './pipeline.ts';
import { FileContentsOnce } from './source/file-contents.ts';

export interface FileText {
  readonly path: string;
  readonly text: string;
}

export interface FileReport {
  readonly objects: readonly ObjectView[];
  readonly problems: readonly Problem[];
}

/**
 * Checks files as if they were all there is: references among them resolve; what they refer to elsewhere is listed as
 * a warning, because it may well be there in the place they are meant for.
 */
export function validateFiles(files: readonly FileText[]): FileReport {
  const pipeline = new Pipeline({ now: Date.now, files: new FileContentsOnce() });
  const upserts = files.map(({ path, text }) => ({ type: 'text', id: path, text }) as const);
  const { objects, problems } = pipeline.apply({ upserts, removals: [] });
  return {
    objects: objects.map((view) => ({ ...view, problems: view.problems.map(asWarning) })),
    problems: problems.map(asWarning),
  };
}

export function validateText(file: string, text: string): FileReport {
  return validateFiles([{ path: file, text }]);
}

const asWarning = (problem: Problem): Problem =>
  problem.severity === 'unresolved' ? { ...problem, severity: 'warning' } : problem;
