import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the types generated from `proto/novaedge.proto` stand. */
export const GENERATED_TYPES = join(root, 'src/wire/snapshot/generated');

/** Writes the TypeScript types of `proto/novaedge.proto` into `directory`, which is emptied first. */
export function generateProtoTypes(directory: string = GENERATED_TYPES): void {
  const loader = dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json'));
  rmSync(directory, { recursive: true, force: true });
  const run = spawnSync(
    process.execPath,
    [
      join(loader, 'build/bin/proto-loader-gen-types.js'),
      '--longs=Number',
      '--defaults',
      '--oneofs',
      '--importFileExtension=.ts',
      '--inputTemplate=%s',
      '--outputTemplate=%sDecoded',
      `--outDir=${directory}`,
      'proto/novaedge.proto',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (run.status !== 0) {
    throw new Error(`proto/novaedge.proto: types not generated: ${run.error?.message ?? run.stderr}`);
  }
}
