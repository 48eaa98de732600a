import { STARVED } from './scripts.ts';
import { REAL } from './stage.ts';

// Standard output may need a descriptor that is not there before it is first used.
process.stdout.write('');
process.stdout.write(JSON.stringify(await STARVED.play(REAL)));
