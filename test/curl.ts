import { spawnSync } from 'node:child_process';

/** Options of a test that uses curl from outside; where it is missing the test is left out and says so. */
export const NEEDS_CURL: { readonly skip: string | false } = {
  skip: spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed',
};
