import { spawnSync } from 'node:child_process';

/** Options of a test that needs a program: left out, and says so, where that is missing; but never in CI. */
export function needs(program: string): { readonly skip: string | false } {
  const isThere = spawnSync(program, ['--version']).error === undefined;
  return { skip: isThere || process.env.CI !== undefined ? false : `${program} is not installed` };
}
