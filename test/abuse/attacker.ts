import type { Attack } from './attack.ts';
import { FLOODS } from './attacks/floods.ts';
import { HANDSHAKES } from './attacks/handshakes.ts';
import { HEADS } from './attacks/heads.ts';
import { RESETS } from './attacks/resets.ts';
import { SILENCE } from './attacks/silence.ts';
import { WINDOWS } from './attacks/windows.ts';
import type { Fate } from './wire.ts';

export const ATTACKS: readonly Attack[] = [
  ...RESETS,
  ...FLOODS,
  ...HEADS,
  ...WINDOWS,
  ...SILENCE,
  ...HANDSHAKES,
];

export interface Attacked extends Fate {
  /** Of the attacker's process, without what it made ready before. */
  readonly cpuMs: number;
}

/*
 * One attack in a process of its own, so that its work can be told from that of everybody else: `attacker.ts NAME PORT`.
 * It says `ready`, begins with the first byte from its standard input, and ends with an `Attacked` as JSON.
 */
if (import.meta.main) {
  const [name, port] = process.argv.slice(2);
  const attack = ATTACKS.find((one) => one.name === name);
  if (attack === undefined) throw new Error(`no attack has the name ${name}`);
  const run = attack.prepare();
  process.stdout.write('ready\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const before = process.cpuUsage();
  const fate = await run(Number(port));
  const used = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ ...fate, cpuMs: (used.user + used.system) / 1000 })}\n`);
  process.exit(0);
}
