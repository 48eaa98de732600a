import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ATTACKS } from './attacker.ts';
import { Site } from './site.ts';

/** Of what an attack may leave behind, in MB, and how long it is waited for. */
const MOST_MB = 32;
const SETTLE_MS = 10_000;
const ONLY = process.env.ATTACK;

function ends(): { after(end: () => unknown): void; run(): Promise<void> } {
  const all: (() => unknown)[] = [];
  return {
    after: (end) => all.push(end),
    run: async () => {
      for (const end of all.reverse()) await end();
    },
  };
}

describe('attacks on a proxy', { skip: process.platform === 'linux' ? false : 'it reads /proc' }, () => {
  const scope = ends();
  let site: Site;
  before(async () => {
    site = await Site.start(scope);
    await site.calm(1000);
    // What a process takes once, whoever asks for it, is not the attacks' doing.
    await site.attack('rapid reset (CVE-2023-44487)', 'usual', 0, MOST_MB, 0);
    await site.attack('HPACK: a table churned by sixty new entries in each head', 'usual', 0, MOST_MB, 0);
  });
  for (const { name, target, faults, mostMb = MOST_MB } of ATTACKS) {
    if (ONLY !== undefined && !name.includes(ONLY)) continue;
    test(name, { timeout: 60_000 }, async (context) => {
      const usual = await site.calm(1000);
      const seen = await site.attack(name, target, usual.cpuPerMs, mostMb, SETTLE_MS);
      const { attacked, neighbour } = seen;
      const ratio = seen.cpuMs / attacked.cpuMs;
      const counted = [...seen.faults].map(([reason, count]) => `${reason} ${count}`).join(', ');
      context.diagnostic(
        [
          attacked.endedMs === null ? 'stayed' : `ended after ${attacked.endedMs} ms`,
          `goaway ${attacked.goAway ?? 'none'}`,
          `cpu ${seen.cpuMs.toFixed(0)}/${attacked.cpuMs.toFixed(0)} ms = ${ratio.toFixed(1)}`,
          `backend ${seen.backendRequests}`,
          `rss ${seen.before.toFixed(0)} peak +${(seen.peak - seen.before).toFixed(0)} after +${(seen.after - seen.before).toFixed(0)}`,
          `neighbour p99 ${usual.neighbour.p99.toFixed(1)} -> ${neighbour.p99.toFixed(1)} ms of ${neighbour.requests}`,
          counted,
        ].join('; '),
      );
      assert.deepEqual(neighbour.failures, []);
      assert.ok(seen.after - seen.before < mostMb, `${seen.before} MB before, ${seen.after} MB after`);
      if (faults.length > 0)
        assert.ok(
          faults.some((fault) => seen.faults.has(fault)),
          counted,
        );
    });
  }
  test('and it is as it was', async () => {
    assert.doesNotMatch(site.system.output(), /a fault of NovaEdge|worker.*(exit|left)/i);
    await scope.run();
  });
});
