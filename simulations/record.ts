/**
 * `npm run record -- NAME FILE… [--from T] [--to T] [--actor PATH]`: a slice of a journal becomes
 * `simulations/recordings/NAME.ndjson`, which `npm test` replays from then on.
 * Exit codes: 0 recorded, 1 it could not be, 2 wrong usage.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readJournals } from '../src/cli/replay/journal-reader.ts';
import { MOMENT_FORMS, recordsUntil } from '../src/cli/replay/moment.ts';
import { Replayer } from '../src/cli/replay/replayer.ts';
import { slice } from '../src/cli/replay/slice.ts';
import { checksum } from '../src/os/journal-file.ts';
import { BEHAVIORS } from '../supervisors/behaviors.ts';
import { encodeRecord } from '../supervisors/journal-line.ts';
import type { JournalRecord } from '../supervisors/record.ts';

const USAGE = `npm run record -- NAME FILE… [options]

  NAME             of the recording: simulations/recordings/NAME.ndjson
  FILE…            journal files, or directories of them, such as an agent's data directory
  --from T         begin after that: ${MOMENT_FORMS}
  --to T           end there
  --actor PATH     only actors whose address has this path in it; may be repeated
  --force          replace a recording of that name
  --out DIRECTORY  write it there instead`;

const RECORDINGS = fileURLToPath(new URL('./recordings', import.meta.url));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === 'string') {
    console.error(`${options}\n\n${USAGE}`);
    return 2;
  }
  const { name, files, values } = options;
  const path = `${values.out ?? RECORDINGS}/${name}.ndjson`;
  if (existsSync(path) && values.force !== true) {
    console.error(`${path} is there already; --force replaces it`);
    return 1;
  }
  const { records } = await readJournals(files);
  const from = values.from === undefined ? 0 : recordsUntil(records, values.from);
  const to = values.to === undefined ? records.length : recordsUntil(records, values.to);
  if (from === null || to === null) {
    console.error(`${from === null ? values.from : values.to} is not in the journal, or not ${MOMENT_FORMS}`);
    return 2;
  }
  const paths = (values.actor ?? []).map((actor) => `/${actor.replace(/^\/+|\/+$/g, '')}/`);
  const wanted = (address: string) =>
    paths.length === 0 || paths.some((actor) => `/${address}/`.includes(actor));
  const cut = slice(records, BEHAVIORS, { from, to, wanted });
  const compared = replayed(cut);
  writeFileSync(path, cut.map((record) => encodeRecord(record, checksum)).join(''));
  console.log(`${path}: ${cut.length} records, of which ${compared} are compared when it is replayed`);
  return 0;
}

/** @throws where the slice says nothing, or not what the machines do */
function replayed(records: readonly JournalRecord[]): number {
  const replayer = new Replayer(BEHAVIORS);
  for (const record of records) replayer.feed(record);
  const [difference] = replayer.differences;
  if (difference !== undefined) throw new Error(`it does not replay: event ${difference.id} differs`);
  if (replayer.compared === 0) throw new Error('there is no event in it that could be compared');
  if (replayer.uncompared > 0)
    throw new Error(
      `${replayer.uncompared} of its events are of actors that the journal does not know by then`,
    );
  return replayer.compared;
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        actor: { type: 'string', multiple: true },
        out: { type: 'string' },
        force: { type: 'boolean' },
      },
    });
    const [name, ...files] = positionals;
    if (name === undefined || files.length === 0) return 'a name and a journal are needed';
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) return `${name} is not a name of a-z, 0-9 and -`;
    return { name, files, values };
  } catch (error) {
    return (error as Error).message;
  }
}
