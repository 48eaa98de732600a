import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MACHINES } from '../../actors/catalogue.ts';
import type { ActorNode, SupervisorNode, ThreadNode } from '../../supervisors/tree.ts';
import { isSupervisor, placements, stopDeadlineMs, TREE } from '../../supervisors/tree.ts';

const threads: Readonly<Record<string, ThreadNode>> = TREE;

function nodes(node: SupervisorNode): (ActorNode | SupervisorNode)[] {
  return node.children.flatMap((child) => (isSupervisor(child) ? [child, ...nodes(child)] : [child]));
}

test('every machine of the catalogue is placed on exactly one thread, and nothing else is', () => {
  assert.deepEqual([...placements().keys()].sort(), Object.keys(MACHINES).sort());
  const twice = { ...TREE.main, children: [...TREE.main.children, TREE.main.children[0]] };
  assert.throws(() => placements({ main: twice }), /rollout is placed twice/);
});

test('every thread but the main one belongs to a supervised actor of the main thread', () => {
  const placed = placements();
  for (const [thread, { owner }] of Object.entries(threads)) {
    if (thread === 'main') assert.equal(owner, null);
    else assert.equal(placed.get(owner!)?.thread, 'main', `${thread} belongs to ${owner}`);
  }
});

test('names of supervisors are their addresses: none twice on a thread', () => {
  for (const root of Object.values(threads)) {
    const names = [root, ...nodes(root)].flatMap((node) => ('supervisor' in node ? [node.supervisor] : []));
    assert.equal(new Set(names).size, names.length);
  }
});

test('children that come and go have a supervisor of their own, which isolates the one that keeps failing', () => {
  for (const root of Object.values(threads))
    for (const node of [root, ...nodes(root)]) {
      if (!isSupervisor(node)) continue;
      const come = node.children.filter((child) => !isSupervisor(child) && child.many);
      if (come.length === 0) continue;
      assert.equal(node.children.length, 1, node.supervisor);
      assert.deepEqual([node.intensity.of, node.intensity.exceeded], ['child', 'isolate']);
    }
});

test('everybody who drains is given more than the drain timeout to stop, the thread more than what lives on it', () => {
  const deadline = new Map<string, number>();
  for (const root of Object.values(threads))
    for (const node of nodes(root)) {
      if (isSupervisor(node)) continue;
      const ms = stopDeadlineMs(node, 30_000);
      assert.ok(Number.isFinite(ms) && ms > 0);
      deadline.set(node.kind, ms);
    }
  for (const kind of ['listener', 'upstream-pool', 'dataplane-worker'])
    assert.ok(deadline.get(kind)! > 30_000);
  assert.ok(deadline.get('dataplane-worker')! > deadline.get('listener')!);
});
