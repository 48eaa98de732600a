import { readdirSync, readFileSync } from 'node:fs';

/** CPU time in microseconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** Linux counts in ticks of 1/100 s for user space (USER_HZ) on every architecture Node runs on. */
const MICROS_PER_TICK = 10_000;

/** CPU time of a process with all its threads and living children, from /proc (proc(5): stat, fields 4, 14, 15). */
export function cpuTime(pid: number): CpuTime {
  let user = 0;
  let system = 0;
  for (const member of processTree(pid)) {
    const fields = statFields(member);
    if (fields === null) continue;
    user += Number(fields[11]) * MICROS_PER_TICK;
    system += Number(fields[12]) * MICROS_PER_TICK;
  }
  return { user, system };
}

/** The process and everything it has started that still lives. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (fields === null) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i += 1) tree.push(...(children.get(tree[i]!) ?? []));
  return tree;
}

/** Fields of /proc/PID/stat behind the command, which may itself contain spaces: [state, ppid, …]. */
function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
