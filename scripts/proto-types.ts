import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the types generated from `proto/novaedge.proto` stand. */
const GENERATED_TYPES = 'src/wire/snapshot/generated';

/** The TypeScript types of `proto/novaedge.proto` by path, made by proto-loader's own generator. */
export function protoTypes(): ReadonlyMap<string, string> {
  const loader = dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json'));
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-proto-'));
  try {
    const options = ['--longs=Number', '--defaults', '--oneofs', '--importFileExtension=.ts'];
    const names = [
      '--inputTemplate=%s',
      '--outputTemplate=%sDecoded',
      `--outDir=${directory}`,
      'proto/novaedge.proto',
    ];
    const run = spawnSync(
      process.execPath,
      [join(loader, 'build/bin/proto-loader-gen-types.js'), ...options, ...names],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    if (run.status !== 0) {
      throw new Error(`proto/novaedge.proto: types not generated: ${run.error?.message ?? run.stderr}`);
    }
    const files = globSync('**/*.ts', { cwd: directory }).sort();
    return new Map(
      files.map((file) => [join(GENERATED_TYPES, file), readFileSync(join(directory, file), 'utf8')]),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
