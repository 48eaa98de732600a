import type { TimerEffects } from '../../actors/vocabulary.ts';
import { actorAddress, addressKind, addressName } from '../../supervisors/address.ts';
import type { AnyBindings, Bindings } from '../../supervisors/effects.ts';
import type { SupervisorEvent } from '../../supervisors/supervisor.ts';
import type { ChildOptions, Described, SupervisorInput } from '../../supervisors/supervisor-state.ts';
import { lives } from '../../supervisors/supervisor-state.ts';
import type { ActorSystem } from '../../supervisors/system.ts';
import type { ActorNode, SupervisorNode } from '../../supervisors/tree.ts';
import { isSupervisor, stopDeadlineMs } from '../../supervisors/tree.ts';
import type { World } from '../../supervisors/world.ts';
import type { ActorAddress, ActorReport } from '../model/actor.ts';

/** What the tree leaves open: facts that a child needs when it is started, also when it is started again. */
export interface ChildSource {
  /** Names of the children of a kind that comes and goes, when their supervisor starts. */
  children(kind: string): readonly string[];
  /** Input of the actor; undefined when there is no use for it any more. */
  input(kind: string, name: string): unknown;
  /** The child has ended for good, as it should. */
  gone(kind: string, name: string, reason: string): void;
  restarted(kind: string, name: string): void;
  /** It did not stop in time and its actor is ended: what it held is to be released. */
  killed(kind: string, name: string): void;
  /** It keeps failing and is left out, for a reason that people can read. `event`: the id of its last end in the journal. */
  isolated(kind: string, name: string, reason: string, event: string): void;
}

/** Carries out a tree on one thread: the bindings of its supervisors and the way to start children. */
export class Supervision {
  readonly #node: string;
  readonly #thread: string;
  readonly #source: ChildSource;
  readonly #system: () => ActorSystem;
  readonly #world: Pick<World, 'now' | 'wallClock' | 'draw'>;
  readonly #drainTimeoutMs: number;
  readonly #supervisors = new Map<string, SupervisorNode>();
  readonly #byKind = new Map<string, { readonly node: ActorNode; readonly supervisor: string }>();

  constructor(options: {
    readonly node: string;
    readonly thread: string;
    readonly tree: SupervisorNode;
    readonly source: ChildSource;
    readonly system: () => ActorSystem;
    readonly world: Pick<World, 'now' | 'wallClock' | 'draw'>;
    readonly drainTimeoutMs: number;
  }) {
    this.#node = options.node;
    this.#thread = options.thread;
    this.#source = options.source;
    this.#system = options.system;
    this.#world = options.world;
    this.#drainTimeoutMs = options.drainTimeoutMs;
    this.#index(options.tree);
  }

  /** What the supervisor is to be told: nothing when the child's actor lives now. */
  startChild(child: ActorAddress, parent: ActorAddress, restarts: number): SupervisorEvent | undefined {
    const kind = addressKind(child);
    const name = addressName(child);
    try {
      const supervisor = kind === 'supervisor' ? this.#supervisors.get(name) : undefined;
      const input = supervisor === undefined ? this.#source.input(kind, name) : this.#input(supervisor);
      if (input === undefined) return { type: 'child.unwished', child };
      if (restarts > 0) this.#source.restarted(kind, name);
      this.#system().start({ address: child, kind, parent, input, restarts });
      return undefined;
    } catch (error) {
      // The child's failure, not its supervisor's.
      const reason = error instanceof Error ? error.message : String(error);
      const { now, draw } = { now: this.#world.now(), draw: this.#world.draw() };
      return { type: 'child.exited', child, outcome: 'abnormal', reason, at: now, draw };
    }
  }

  kill(child: ActorAddress): void {
    this.#system().kill(child);
    this.#source.killed(addressKind(child), addressName(child));
  }

  gone(child: ActorAddress, reason: string): void {
    this.#source.gone(addressKind(child), addressName(child), reason);
  }

  isolated(child: ActorAddress, reason: string, event: string): void {
    this.#source.isolated(addressKind(child), addressName(child), reason, event);
  }

  /** Starts the whole tree; `parent` is told when its root ends. */
  startTree(root: string, parent: ActorAddress | null): void {
    const node = this.#supervisors.get(root)!;
    this.#system().start({
      address: this.address('supervisor', root),
      kind: 'supervisor',
      parent,
      input: this.#input(node),
    });
  }

  /** Starts children that come and go. */
  startChildren(kind: string, names: readonly string[]): void {
    const { node, supervisor } = this.#byKind.get(kind)!;
    this.#system().send<SupervisorEvent>(this.address('supervisor', supervisor), {
      type: 'child.start',
      children: names.map((name) => this.#child(node, name)),
    });
  }

  /** Children that do not live now though they are wished: they wait for a restart, or are left out. */
  absent(): ActorReport[] {
    const [now, wall] = [this.#world.now(), this.#world.wallClock()];
    return [...this.#supervisors.keys()].flatMap((name) => {
      const parent = this.address('supervisor', name);
      const described = this.#system().describe(parent) as Described | undefined;
      if (described === undefined || described.absent === 0) return [];
      return described.children
        .filter((child) => !lives(child))
        .map(({ child, status, restarts, last }) => ({
          address: child,
          parent,
          thread: this.#thread,
          state: status === 'isolated' ? 'given_up' : 'restart_waits',
          reason: last?.message ?? last?.reason ?? 'stopped_for_restart',
          since: last === null ? wall : wall - (now - last.at),
          restarts,
          mailbox: 0,
        }));
    });
  }

  address(kind: string, name = ''): ActorAddress {
    return actorAddress(this.#node, this.#thread, kind, name);
  }

  #index(node: SupervisorNode): void {
    this.#supervisors.set(node.supervisor, node);
    for (const child of node.children) {
      if (isSupervisor(child)) this.#index(child);
      else this.#byKind.set(child.kind, { node: child, supervisor: node.supervisor });
    }
  }

  #input(node: SupervisorNode): SupervisorInput {
    return {
      policy: { strategy: node.strategy, intensity: node.intensity, backoff: node.backoff },
      many: node.children.some((child) => !isSupervisor(child) && child.many),
      children: node.children.flatMap((child) => {
        if (isSupervisor(child))
          return [
            {
              child: this.address('supervisor', child.supervisor),
              restart: 'permanent' as const,
              stopMs: null,
            },
          ];
        const names = child.many ? this.#source.children(child.kind) : [''];
        return names.map((name) => this.#child(child, name));
      }),
    };
  }

  #child(node: ActorNode, name: string): ChildOptions {
    return {
      child: this.address(node.kind, name),
      restart: node.restart,
      stopMs: stopDeadlineMs(node, this.#drainTimeoutMs),
    };
  }
}

interface ChildEffects extends TimerEffects {
  startChild: { readonly child: ActorAddress; readonly restarts: number };
  stopChild: { readonly child: ActorAddress };
  killChild: { readonly child: ActorAddress };
  childGone: { readonly child: ActorAddress; readonly reason: string };
  childIsolated: { readonly child: ActorAddress; readonly reason: string };
}

/** Effects of a thread's supervisors. */
export function supervisorBindings(supervision: () => Supervision): AnyBindings {
  const bindings: Bindings<ChildEffects, SupervisorEvent> = {
    startChild: ({ child, restarts }, { actor }) => supervision().startChild(child, actor, restarts),
    stopChild: ({ child }, { send }) => {
      send(child, { type: 'stop' });
      return undefined;
    },
    killChild: ({ child }) => {
      supervision().kill(child);
      return undefined;
    },
    childGone: ({ child, reason }) => {
      supervision().gone(child, reason);
      return undefined;
    },
    childIsolated: ({ child, reason }, { cause }) => {
      supervision().isolated(child, reason, cause);
      return undefined;
    },
  };
  return bindings;
}
