import type { ConfigurationBuild } from '../model/configuration.ts';
import type { ResourceKey } from '../model/resource.ts';
import type { AgentHello } from '../wire/snapshot/agent-message.ts';
import { ControlledNode, type NodeSurroundings } from './node.ts';
import { hiddenKeys, signature } from './selection.ts';
import type { SendableResources } from './sendable.ts';
import type { Session } from './session.ts';
import { Track } from './track.ts';

/** Nodes that are away are remembered up to this many; those that left first are forgotten first. */
const NODES_AWAY = 1000;

/**
 * All nodes and the tracks they follow. Nodes that see the same resources share one track, so a change is encoded
 * and hashed once for all of them.
 */
export class Fleet {
  readonly #sendable: SendableResources;
  readonly #around: NodeSurroundings;
  readonly #nodes = new Map<string, ControlledNode>();
  /** What a node without labels sees; kept also while there is no node, for those that come back. */
  #base: Track;
  #tracks: Set<Track>;

  constructor(sendable: SendableResources, around: NodeSurroundings) {
    this.#sendable = sendable;
    this.#around = around;
    this.#base = Track.of(sendable, hiddenKeys(sendable.build, {}));
    this.#tracks = new Set([this.#base]);
  }

  get nodes(): Iterable<ControlledNode> {
    return this.#nodes.values();
  }

  get connected(): ControlledNode[] {
    return [...this.#nodes.values()].filter(({ session }) => session !== undefined);
  }

  node(name: string): ControlledNode | undefined {
    return this.#nodes.get(name);
  }

  /** The node of a hello, connected; it starts to receive. */
  connect(session: Session, hello: AgentHello): ControlledNode {
    const track = this.#trackFor(hello);
    let node = this.#nodes.get(hello.node);
    if (node === undefined) {
      node = new ControlledNode(hello.node, hello.labels, track, this.#around);
      this.#nodes.set(hello.node, node);
    }
    node.connected(session, hello, track);
    this.#tidy();
    return node;
  }

  /** Follows a build whose `touched` keys are already in the sendable resources. */
  follow(build: ConfigurationBuild, touched: readonly ResourceKey[]): void {
    interface Group {
      readonly hidden: ReadonlySet<ResourceKey>;
      readonly nodes: ControlledNode[];
      readonly base: boolean;
    }
    const views = new Map<Track, Map<string, Group>>();
    const join = (track: Track, labels: Readonly<Record<string, string>>, node?: ControlledNode): void => {
      const hidden = hiddenKeys(build, labels);
      const name = signature(hidden);
      const groups = views.get(track) ?? new Map<string, Group>();
      views.set(track, groups);
      const group = groups.get(name) ?? { hidden, nodes: [], base: node === undefined };
      groups.set(name, group);
      if (node !== undefined) group.nodes.push(node);
    };
    join(this.#base, {});
    for (const node of this.#nodes.values()) join(node.track, node.labels, node);

    const tracks = new Set<Track>();
    for (const [track, groups] of views) {
      // Where nodes of one track come to see different things, all but the first go on with a copy.
      const parted = [...groups.values()].map((group, index) => ({
        group,
        track: index === 0 ? track : track.fork(),
      }));
      for (const { group, track: own } of parted) {
        const keys = own.advance(touched, group.hidden);
        tracks.add(own);
        if (group.base) this.#base = own;
        for (const node of group.nodes) node.follow(own, keys);
      }
    }
    this.#tracks = tracks;
  }

  /** Frees timers. */
  stop(): void {
    for (const node of this.#nodes.values()) node.forget();
  }

  #trackFor(hello: AgentHello): Track {
    const hidden = hiddenKeys(this.#sendable.build, hello.labels);
    const name = signature(hidden);
    const own = this.#nodes.get(hello.node)?.track;
    if (own?.signature === name) return own;
    for (const track of this.#tracks) if (track.signature === name) return track;
    const track = (own ?? this.#base).fork();
    track.advance([], hidden);
    this.#tracks.add(track);
    return track;
  }

  #tidy(): void {
    const away = [...this.#nodes.values()].filter(({ session }) => session === undefined);
    if (away.length <= NODES_AWAY) return;
    away.sort((a, b) => a.since - b.since);
    for (const node of away.slice(0, away.length - NODES_AWAY)) {
      node.forget();
      this.#nodes.delete(node.name);
    }
  }
}
