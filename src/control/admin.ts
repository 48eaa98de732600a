import type { ControllerAdmin, NodeView } from '../model/admin.ts';
import type { ObjectView } from '../model/configuration.ts';
import { type Condition, objectText, type Problem } from '../model/object.ts';
import { REPORT_REQUEST_FRAME } from '../wire/snapshot/update.ts';
import type { Fleet } from './fleet.ts';
import type { ControlledNode } from './node.ts';
import { NOT_ANNOUNCED, type ProgrammedNode, programmed } from './programmed.ts';
import type { SendableResources } from './sendable.ts';

const REFRESH_TIMEOUT_MS = 2000;

export interface ControllerClock {
  /** Milliseconds since the epoch of the newest build, or of the last connection that ended. */
  readonly changedAt: number;
  readonly stopping: boolean;
}

/** What the admin server may ask of the controller. Conditions are worked out when they are asked for. */
export function controllerAdmin(
  fleet: Fleet,
  sendable: SendableResources,
  clock: ControllerClock,
): ControllerAdmin {
  let conditions = new Map<string, Condition>();

  function objects(): ObjectView[] {
    const facts = {
      nodes: fleet.connected.map(programmedNode),
      unsendable: sendable.failures,
      changedAt: clock.changedAt,
    };
    const next = new Map<string, Condition>();
    const views = sendable.build.objects.map((view): ObjectView => {
      const name = objectText(view.object);
      const condition = programmed(view, conditions.get(name), facts);
      if (condition === undefined) return view;
      next.set(name, condition);
      return { ...view, conditions: [...view.conditions, condition] };
    });
    conditions = next;
    return views;
  }

  return {
    objects,
    problems: () => [...sendable.build.problems, ...objects().flatMap(notInUse)],
    resources: () => sendable.build.resources,
    nodes: () => [...fleet.nodes].map(nodeView),
    async refresh(except) {
      const others = fleet.connected.filter((node) => node.name !== except);
      if (others.length === 0) return;
      const asked = others.map((node) => {
        const reported = node.nextReport();
        void node.session?.send([REPORT_REQUEST_FRAME]);
        return reported;
      });
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, REFRESH_TIMEOUT_MS);
      await Promise.race([Promise.all(asked), late]);
      clearTimeout(timer);
    },
    readiness: () =>
      clock.stopping
        ? { ready: false, reasons: ['the controller is stopping'] }
        : { ready: true, reasons: [] },
  };
}

/** What is accepted and yet not in use on its nodes. */
function notInUse({ object, conditions }: ObjectView): Problem[] {
  const condition = conditions.find(({ type, status }) => type === 'Programmed' && status === 'False');
  if (condition === undefined) return [];
  const { reason, message } = condition;
  return [
    {
      severity: reason === NOT_ANNOUNCED ? 'warning' : 'error',
      file: '',
      line: 0,
      object,
      field: '',
      value: '',
      reason,
      message,
      lastGoodServes: false,
    },
  ];
}

function programmedNode(node: ControlledNode): ProgrammedNode {
  return {
    name: node.name,
    changedAt: node.changedAt,
    settled: node.settled,
    refusal: node.refusal,
    sees: (key) => !node.track.hides(key),
    failure: (key) => node.failure(key),
    awaits: (key) => node.awaits(key),
  };
}

function nodeView(node: ControlledNode): NodeView {
  return {
    node: node.name,
    connected: node.session !== undefined,
    since: node.since,
    wished: node.track.version,
    acknowledged: node.acknowledged,
    report: node.report,
  };
}
