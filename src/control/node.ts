import type { NodeReport } from '../model/report.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import type { ObjectFailure, SnapshotVersion } from '../model/snapshot.ts';
import type { AgentHello } from '../wire/snapshot/agent-message.ts';
import { updateParts } from '../wire/snapshot/update.ts';
import type { Labels } from './selection.ts';
import type { SendableResources } from './sendable.ts';
import type { Session } from './session.ts';
import type { Track } from './track.ts';

export interface NodeSurroundings {
  readonly sendable: SendableResources;
  readonly now: () => number;
  readonly nonce: () => number;
  readonly published: (
    node: ControlledNode,
    result: 'sent' | 'ack' | 'nack' | 'refused',
    bytes: number,
  ) => void;
  /** Before the whole snapshot is sent again after the n-th refusal in a row, in ms. */
  readonly backoff: (refusals: number) => number;
}

/** How long a whole report is shown in place of newer summaries. */
const WHOLE_SHOWN_MS = 5000;

interface Flight {
  readonly nonce: number;
  readonly version: SnapshotVersion;
  /** Undefined: the whole snapshot. */
  readonly keys: ReadonlySet<ResourceKey> | undefined;
  bytes: number;
}

/**
 * What the controller knows of one node, over its connections.
 *
 *     build ──► pending ──send──► flight ──Ack, Nack──► acknowledged
 *                  ▲                 └────refused────► whole, after a pause
 *                  └── what changes meanwhile waits here and leaves as one update
 */
export class ControlledNode {
  readonly name: string;
  readonly #around: NodeSurroundings;
  labels: Labels;
  #track: Track;
  #session: Session | undefined;
  #since: number;
  /** What the agent holds, empty where that is not known. */
  #held: SnapshotVersion = '';
  #whole = true;
  #pending = new Set<ResourceKey>();
  #flight: Flight | undefined;
  #answered = false;
  #changedAt: number;
  #failures: ReadonlyMap<ResourceKey, ObjectFailure> = new Map();
  #refusals = 0;
  #refusal = '';
  #pause: NodeJS.Timeout | undefined;
  #report: NodeReport | null = null;
  #wholeAt = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string, labels: Labels, track: Track, around: NodeSurroundings) {
    this.name = name;
    this.labels = labels;
    this.#track = track;
    this.#around = around;
    this.#since = around.now();
    this.#changedAt = this.#since;
  }

  get track(): Track {
    return this.#track;
  }
  get session(): Session | undefined {
    return this.#session;
  }
  /** Milliseconds since the epoch: connected, or disconnected, since then. */
  get since(): number {
    return this.#since;
  }
  /** Milliseconds since the epoch of the last thing that changes what is programmed. */
  get changedAt(): number {
    return this.#changedAt;
  }
  get acknowledged(): SnapshotVersion {
    return this.#held;
  }
  get report(): NodeReport | null {
    return this.#report;
  }
  /** Has answered an update on this connection. */
  get answered(): boolean {
    return this.#answered;
  }
  /** Why it refused the last update whole; empty where it did not. */
  get refusal(): string {
    return this.#refusal;
  }
  /** Nothing is on its way and nothing failed. */
  get settled(): boolean {
    return (
      this.#answered &&
      !this.#whole &&
      this.#pending.size === 0 &&
      this.#flight === undefined &&
      this.#failures.size === 0
    );
  }

  failure(key: ResourceKey): ObjectFailure | undefined {
    return this.#failures.get(key);
  }

  awaits(key: ResourceKey): boolean {
    if (!this.#answered || this.#whole || this.#pending.has(key)) return true;
    return this.#flight !== undefined && (this.#flight.keys === undefined || this.#flight.keys.has(key));
  }

  connected(session: Session, hello: AgentHello, track: Track): void {
    this.#leave();
    this.#session = session;
    this.labels = hello.labels;
    this.#track = track;
    this.#held = hello.snapshotVersion;
    const since = hello.snapshotVersion === '' ? undefined : track.since(hello.snapshotVersion);
    this.#whole = since === undefined;
    this.#pending = new Set(since);
    this.#failures = new Map();
    this.#moved();
    this.#since = this.#around.now();
    // An agent that breaks over a snapshot and connects again must not get past the pause.
    if (this.#refusals > 0) this.#whole = true;
    if (this.#pause === undefined) this.push();
  }

  disconnected(session: Session): void {
    if (session !== this.#session) return;
    this.#leave();
    this.#since = this.#around.now();
    this.#moved();
  }

  /** The node sees `track` from now on, in which `keys` may be others. */
  follow(track: Track, keys: readonly ResourceKey[]): void {
    this.#track = track;
    if (this.#session === undefined) return;
    if (!this.#whole) for (const key of keys) this.#pending.add(key);
    this.push();
  }

  /** Sends what is pending, unless something is on its way. */
  push(): void {
    const session = this.#session;
    if (session === undefined || this.#flight !== undefined || this.#pause !== undefined) return;
    // An agent that is up to date gets an empty update once, so that it says whether all of it is in use.
    if (!this.#whole && this.#pending.size === 0 && this.#answered) return;
    const keys = this.#whole ? undefined : this.#pending;
    const flight: Flight = { nonce: this.#around.nonce(), version: this.#track.version, keys, bytes: 0 };
    const upserts: Resource[] = [];
    const removals: ResourceKey[] = [];
    for (const key of keys ?? this.#track.keys()) {
      const resource = this.#track.hides(key) ? undefined : this.#around.sendable.get(key);
      if (resource !== undefined) upserts.push(resource);
      else removals.push(key);
    }
    const base = this.#whole ? '' : this.#held;
    this.#flight = flight;
    this.#pending = new Set();
    this.#whole = false;
    const frames = updateParts({ base, version: flight.version, upserts, removals }, flight.nonce);
    void session.send(frames).then((bytes) => {
      if (bytes === undefined) return;
      flight.bytes = bytes;
      this.#around.published(this, 'sent', bytes);
    });
  }

  /** @returns false where nothing with that nonce and version is on its way. */
  ack(nonce: number, version: SnapshotVersion): boolean {
    return this.#answer(nonce, version, [], 'ack');
  }

  /** All but the named objects are in use. */
  nack(nonce: number, version: SnapshotVersion, failures: readonly ObjectFailure[]): boolean {
    return this.#answer(nonce, version, failures, 'nack');
  }

  /** The update was not taken at all; the whole snapshot goes out again after a pause that grows. */
  refuse(nonce: number, failures: readonly ObjectFailure[]): boolean {
    const flight = this.#flight;
    if (flight === undefined || flight.nonce !== nonce) return false;
    this.#flight = undefined;
    this.#held = '';
    this.#whole = true;
    this.#pending = new Set();
    this.#answered = true;
    this.#refusals += 1;
    this.#refusal = failures.map((failure) => failure.message).join('; ') || 'no reason given';
    this.#failures = byKey(failures);
    this.#moved();
    this.#around.published(this, 'refused', flight.bytes);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.push();
    }, this.#around.backoff(this.#refusals));
    this.#pause.unref();
    return true;
  }

  reported(report: NodeReport): void {
    const now = this.#around.now();
    // A summary does not take away the whole report that somebody has just asked for.
    if (report.detail === 'whole' || this.#report?.detail !== 'whole' || now - this.#wholeAt > WHOLE_SHOWN_MS)
      this.#report = report;
    // Failures come and go by themselves too: a port that another program has given back.
    if (this.#answered && this.#flight === undefined && report.version === this.#held && this.#held !== '') {
      const failures = byKey(report.failures);
      if (!sameFailures(failures, this.#failures)) {
        this.#failures = failures;
        this.#moved();
      }
    }
    if (report.detail !== 'whole') return;
    this.#wholeAt = now;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves with the next whole report, or when the connection ends. */
  nextReport(): Promise<void> {
    if (this.#session === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Frees timers; the node is not used any more. */
  forget(): void {
    this.#leave();
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #answer(
    nonce: number,
    version: SnapshotVersion,
    failures: readonly ObjectFailure[],
    result: 'ack' | 'nack',
  ): boolean {
    const flight = this.#flight;
    if (flight === undefined || flight.nonce !== nonce || flight.version !== version) return false;
    this.#flight = undefined;
    this.#held = version;
    this.#answered = true;
    this.#refusals = 0;
    this.#refusal = '';
    this.#failures = byKey(failures);
    this.#moved();
    this.#around.published(this, result, flight.bytes);
    this.push();
    return true;
  }

  #leave(): void {
    this.#session = undefined;
    this.#flight = undefined;
    this.#answered = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #moved(): void {
    this.#changedAt = this.#around.now();
  }
}

function byKey(failures: readonly ObjectFailure[]): Map<ResourceKey, ObjectFailure> {
  return new Map(failures.filter(({ key }) => key !== '').map((failure) => [failure.key, failure]));
}

function sameFailures(
  one: ReadonlyMap<ResourceKey, ObjectFailure>,
  other: ReadonlyMap<ResourceKey, ObjectFailure>,
): boolean {
  if (one.size !== other.size) return false;
  for (const [key, { reason, message }] of one) {
    const before = other.get(key);
    if (before?.reason !== reason || before.message !== message) return false;
  }
  return true;
}
