import type { Contender, StartOptions } from './contender/contender.ts';
import { cpuOf, measure, median, type Round } from './round.ts';
import type { Work } from './work/work.ts';

export interface WorkResult {
  readonly name: string;
  readonly unit: Work['unit'];
  readonly results: readonly (Round & { readonly proxy: string })[];
  readonly leftOut: readonly LeftOut[];
}

interface LeftOut {
  readonly proxy: string;
  readonly reason: string;
  /** It is known beforehand that the program cannot; else it should have. */
  readonly isKnown: boolean;
}

export interface ComparisonOptions extends Omit<StartOptions, 'work'> {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}

/** One work under all proxies by turns. One that cannot do it, or does it wrongly, is left out and the reason said. */
export async function compare(
  work: Work,
  proxies: readonly Contender[],
  options: ComparisonOptions,
): Promise<WorkResult> {
  const { rounds, seconds, say, ...common } = options;
  say(`\n${work.name}: ${work.help}`);
  const leftOut: LeftOut[] = [];
  const leaveOut = ({ name }: Contender, reason: string, isKnown: boolean) => {
    leftOut.push({ proxy: name, reason, isKnown });
    say(`  ${name} is left out: ${reason}`);
  };
  const able = new Set(proxies);
  for (const proxy of proxies) {
    const reason = proxy.cannot(work);
    if (reason === null) continue;
    able.delete(proxy);
    leaveOut(proxy, reason, true);
  }
  const measured = new Map<Contender, Round[]>();
  let rate: number | null = null;
  for (let round = 0; round < rounds; round += 1) {
    for (const proxy of [...able]) {
      try {
        if (work.load === 'half' && rate === null) {
          rate = await halfLoad(work, proxies, common);
          say(`  ${rate} requests/s`);
        }
        const result = await measure(proxy, { ...common, work }, seconds, rate);
        measured.set(proxy, [...(measured.get(proxy) ?? []), result]);
        if (result.errors > 0) say(`  ${proxy.name}: ${result.errors} errors in round ${round + 1}`);
      } catch (error) {
        able.delete(proxy);
        leaveOut(proxy, briefly(error), false);
      }
    }
  }
  const results = [...able].map((proxy) => ({ proxy: proxy.name, ...median(measured.get(proxy)!) }));
  print(work, results, say);
  return { name: work.name, unit: work.unit, results, leftOut };
}

/** Half of what the first of the proxies, which is NovaEdge, answers in a second. */
async function halfLoad(
  work: Work,
  [first]: readonly Contender[],
  common: Omit<StartOptions, 'work'>,
): Promise<number> {
  const whole = await measure(first!, { ...common, work }, 3, null);
  return Math.floor(whole.unitsPerSecond / 2);
}

/** The first line says what, the last of what a program printed says why. */
function briefly(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  const text = lines.length === 1 ? lines[0]! : `${lines[0]} ${lines.at(-1)}`;
  return text.length <= 500 ? text : `${text.slice(0, 500)}…`;
}

function print(work: Work, results: WorkResult['results'], say: (text: string) => void): void {
  const own = results.find((result) => result.proxy === 'novaedge');
  const [perSecond, cpu] = [`${work.unit}s/s`.padStart(12), `CPU µs/${work.unit} (user + system)`.padEnd(32)];
  say(`  proxy    ${perSecond}   ${cpu}   p50 µs   p99 µs p99.9 µs   novaedge/peer CPU`);
  for (const result of results) {
    const { user, system } = result.cpuMicrosPerUnit;
    const parts = `${cpuOf(result).toFixed(1).padStart(6)} (${user.toFixed(1)} + ${system.toFixed(1)})`;
    const { p50, p99, p999 } = result.latencyMicros ?? { p50: '-', p99: '-', p999: '-' };
    const latency = [p50, p99, p999].map((micros) => String(micros).padStart(8)).join(' ');
    say(
      `  ${result.proxy.padEnd(9)}${result.unitsPerSecond.toFixed(0).padStart(12)}   ${parts.padEnd(32)} ${latency}   ${ratio(work, own, result)}`,
    );
  }
  if (work.unit === 'handshake')
    for (const result of results)
      say(
        `  ${result.proxy.padEnd(9)}${(1e6 / cpuOf(result)).toFixed(0).padStart(12)}   as many a second would fill one core`,
      );
}

function ratio(
  work: Work,
  own: WorkResult['results'][number] | undefined,
  peer: WorkResult['results'][number],
): string {
  const target = work.targets[peer.proxy as keyof Work['targets']];
  const wanted = target === undefined ? '' : `(target ${target.toFixed(2)}×)`;
  if (own === peer) return '';
  return own === undefined ? wanted : `${(cpuOf(own) / cpuOf(peer)).toFixed(2)}× ${wanted}`.trimEnd();
}
