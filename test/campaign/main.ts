/**
 * Lets the threads of a real process fail again and again while traffic runs, and looks at what it costs and what it
 * leaves behind. `npm run campaign -- [--kills N] [--restarts N] [--reloads N]`; 0 leaves a part out.
 */
import { parseArgs } from 'node:util';
import { kills } from './kills.ts';
import { leaks } from './leaks.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    restarts: { type: 'string', default: '1000' },
    reloads: { type: 'string', default: '1000' },
  },
});
const [killed, restarts, reloads] = [Number(values.kills), Number(values.restarts), Number(values.reloads)];

async function run(part: (scope: { after(end: () => unknown): void }) => Promise<boolean>): Promise<boolean> {
  const ends: (() => unknown)[] = [];
  try {
    return await part({ after: (end) => void ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

let held = true;
if (killed > 0) held = (await run((scope) => kills(scope, killed))) && held;
if (restarts > 0 || reloads > 0) held = (await run((scope) => leaks(scope, restarts, reloads))) && held;
console.log(held ? '\nheld' : '\nDID NOT HOLD');
process.exitCode = held ? 0 : 1;
