import type { ConfigStreamClient, StreamEvent } from '../../src/agent/stream/client.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges, SnapshotVersion } from '../../src/model/snapshot.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';

export type Snapshot = ReadonlyMap<ResourceKey, Resource>;

export interface StreamFaults {
  /** Nobody answers attempts to connect; the agent gives up by itself. */
  silent: boolean;
  /** Attempts are refused at once. */
  refusing: boolean;
  /** Chance that an update arrives twice. */
  duplicate: number;
  /** The longest that a message takes, in ms. */
  latencyMs: number;
  /** What the agent sends arrives only when this is over, unless the connection has broken by then. */
  deaf: boolean;
}

export interface Answer {
  readonly type: 'ack' | 'nack';
  readonly nonce: number;
  readonly version: SnapshotVersion;
  readonly failures: readonly ObjectFailure[];
}

const REFUSED_PAUSE_MS = 500;

/**
 * A controller and the stream to it. It sends as the real one does: what changed since the version that the agent
 * holds, one update at a time; the whole snapshot after a refusal or to an agent that it does not know.
 */
export class SimulatedController implements ConfigStreamClient {
  readonly faults: StreamFaults = {
    silent: false,
    refusing: false,
    duplicate: 0,
    latencyMs: 20,
    deaf: false,
  };
  readonly #clock: SteppingClock;
  readonly #prng: Prng;
  readonly #emit: (event: StreamEvent) => void;
  readonly #onAnswer: (answer: Answer) => void;
  readonly #snapshots = new Map<SnapshotVersion, Snapshot>();
  readonly #digest = new SnapshotDigest();
  #wish: Snapshot = new Map();
  /** What it knows of the wish; less, for a while after it has started again. */
  #known: { readonly version: SnapshotVersion; readonly snapshot: Snapshot } | null = null;
  /** Versions that this life of the controller can name as a base. */
  #bases = new Set<SnapshotVersion>();
  /** Arrived while it was deaf. */
  #unheard: (() => void)[] = [];
  #nonce = 0;
  /** Rises with each connection; messages of earlier ones are lost. */
  #connection = 0;
  #open = false;
  #connected = false;
  #lastIn = 0;
  #lastOut = 0;
  #held: SnapshotVersion | null = null;
  #flight: { readonly nonce: number; readonly version: SnapshotVersion } | null = null;
  #answered = false;
  #failures: readonly ObjectFailure[] = [];

  constructor(options: {
    readonly clock: SteppingClock;
    readonly prng: Prng;
    readonly emit: (event: StreamEvent) => void;
    /** Called when the agent answers, before the answer travels. */
    readonly onAnswer: (answer: Answer) => void;
  }) {
    this.#clock = options.clock;
    this.#prng = options.prng;
    this.#emit = options.emit;
    this.#onAnswer = options.onAnswer;
    this.#snapshots.set(this.version, this.#wish);
  }

  /** Of all that users wish. */
  get version(): SnapshotVersion {
    return this.#digest.version();
  }

  get wish(): Snapshot {
    return this.#wish;
  }

  /** The agent has said of the newest version that all of it is in use. */
  get acknowledged(): boolean {
    return (
      this.#connected &&
      this.#answered &&
      this.#flight === null &&
      this.#held === this.version &&
      this.#failures.length === 0
    );
  }

  snapshot(version: SnapshotVersion): Snapshot | undefined {
    return this.#snapshots.get(version);
  }

  change(upserts: readonly Resource[], removals: readonly ResourceKey[]): void {
    const wish = new Map(this.#wish);
    for (const key of removals) {
      wish.delete(key);
      this.#digest.delete(key);
    }
    for (const resource of upserts) {
      const key = resourceKey(resource);
      wish.set(key, resource);
      this.#digest.set(key, encodeResource(resource));
    }
    this.#wish = wish;
    this.#snapshots.set(this.version, wish);
    this.#bases.add(this.version);
    this.#push();
  }

  /** It dies and starts again: its nonces begin anew, and it knows no version that it has sent before. */
  restart(): void {
    this.cut();
    this.#nonce = 0;
    this.#bases = new Set([this.version]);
    this.#known = null;
  }

  /**
   * Until `catchUp` it sends what was wished at some time before, as one does that has not read everything yet.
   * Returns the keys that it does not know of.
   */
  lag(prng: Prng): readonly ResourceKey[] {
    const [version, snapshot] = prng.pick([...this.#snapshots].slice(-6));
    this.#known = { version, snapshot };
    this.#bases = new Set([version]);
    return [...this.#wish.keys()].filter((key) => !snapshot.has(key));
  }

  catchUp(): void {
    this.#known = null;
    this.#bases.add(this.version);
    this.#push();
  }

  /** Whether it has the agent run the object, in some version. */
  wants(key: ResourceKey): boolean {
    return this.#wish.has(key) && this.#known?.snapshot.has(key) !== false;
  }

  /** It hears again. */
  hear(): void {
    this.faults.deaf = false;
    for (const arrive of this.#unheard.splice(0)) arrive();
  }

  /** The connection breaks, with all that is on its way. */
  cut(): void {
    if (!this.#open) return;
    this.#close();
    const connection = this.#connection;
    this.#clock.after(this.#prng.between(0, this.faults.latencyMs), () => {
      if (connection === this.#connection)
        this.#emit({ type: 'disconnected', reason: 'controller: the connection broke' });
    });
  }

  /** The agent at the other end is gone. */
  lose(): void {
    this.#close();
  }

  connect(hello: { readonly snapshotVersion: SnapshotVersion }): void {
    this.#close();
    this.#open = true;
    const connection = this.#connection;
    this.#lastIn = 0;
    this.#lastOut = 0;
    if (this.faults.silent) return;
    this.#clock.after(this.#prng.between(0, this.faults.latencyMs), () => {
      if (connection !== this.#connection || !this.#open) return;
      if (this.faults.refusing) {
        this.#close();
        this.#emit({ type: 'disconnected', reason: 'not connected: controller: refused' });
        return;
      }
      this.#connected = true;
      this.#held = this.#bases.has(hello.snapshotVersion) ? hello.snapshotVersion : null;
      this.#answered = false;
      this.#toAgent({ type: 'connected' });
      this.#push();
    });
  }

  ack(nonce: number, version: SnapshotVersion): void {
    this.#answer({ type: 'ack', nonce, version, failures: [] });
  }

  nack(nonce: number, version: SnapshotVersion, failures: readonly ObjectFailure[], refused: boolean): void {
    if (!refused) {
      this.#answer({ type: 'nack', nonce, version, failures });
      return;
    }
    this.#toController(() => {
      if (this.#flight?.nonce !== nonce) return;
      this.#flight = null;
      this.#held = null;
      const connection = this.#connection;
      this.#clock.after(REFUSED_PAUSE_MS, () => {
        if (connection === this.#connection) this.#push();
      });
    });
  }

  report(report: { readonly version: SnapshotVersion; readonly failures: readonly ObjectFailure[] }): void {
    this.#toController(() => {
      if (this.#answered && this.#flight === null && report.version === this.#held)
        this.#failures = report.failures;
    });
  }

  close(): void {
    this.#close();
  }

  #close(): void {
    this.#open = false;
    this.#connected = false;
    this.#connection += 1;
    this.#flight = null;
  }

  #push(): void {
    if (!this.#connected || this.#flight !== null) return;
    const { version, snapshot } = this.#known ?? { version: this.version, snapshot: this.#wish };
    if (this.#held === version && this.#answered) return;
    this.#nonce += 1;
    const base = this.#held === null ? undefined : this.#snapshots.get(this.#held);
    const changes = difference(base, snapshot, this.#held ?? '', version);
    const update: StreamEvent = { type: 'update', nonce: this.#nonce, changes, bytes: 100 };
    this.#flight = { nonce: this.#nonce, version };
    this.#toAgent(update);
    if (this.#prng.chance(this.faults.duplicate)) this.#toAgent(update);
  }

  #answer(answer: Answer): void {
    if (!this.#open) return;
    this.#onAnswer(answer);
    this.#toController(() => {
      const flight = this.#flight;
      if (flight === null || flight.nonce !== answer.nonce || flight.version !== answer.version) return;
      this.#flight = null;
      this.#held = answer.version;
      this.#answered = true;
      this.#failures = answer.failures;
      this.#push();
    });
  }

  #toAgent(event: StreamEvent): void {
    this.#lastIn = this.#travel(this.#lastIn, () => this.#emit(event));
  }

  #toController(receive: () => void): void {
    if (!this.#open) return;
    const connection = this.#connection;
    this.#lastOut = this.#travel(this.#lastOut, () => {
      if (!this.faults.deaf) receive();
      else this.#unheard.push(() => connection === this.#connection && receive());
    });
  }

  #travel(last: number, arrive: () => void): number {
    const connection = this.#connection;
    const at = Math.max(last, this.#clock.now + this.#prng.between(0, this.faults.latencyMs));
    this.#clock.after(at - this.#clock.now, () => {
      if (connection === this.#connection) arrive();
    });
    return at;
  }
}

function difference(
  base: Snapshot | undefined,
  wish: Snapshot,
  from: SnapshotVersion,
  version: SnapshotVersion,
): SnapshotChanges {
  const upserts = [...wish].flatMap(([key, resource]) => (base?.get(key) === resource ? [] : [resource]));
  const removals = [...(base?.keys() ?? [])].filter((key) => !wish.has(key));
  return { base: base === undefined ? '' : from, version, upserts, removals };
}
