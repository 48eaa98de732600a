import type { Prng } from '../prng.ts';
import type { PlannedAnswer, Temperament } from './backend-answer.ts';
import { planAnswer, WELL } from './backend-answer.ts';
import type { Attempt, BackendLink, Ledger } from './ledger.ts';
import type { MessageHead, MessageReaderOwner } from './message-reader.ts';
import { MessageReader } from './message-reader.ts';
import type { ListeningSocket, Network } from './network.ts';
import { Outbox } from './outbox.ts';
import { mismatch } from './pattern.ts';
import type { Side, SideOwner } from './side.ts';
import { backendPath, isFiltered } from './topology.ts';

const READ = Buffer.alloc(65_536);

export interface BackendOptions {
  readonly network: Network;
  readonly ledger: Ledger;
  readonly prng: Prng;
  readonly cluster: string;
  readonly address: string;
  readonly port: number;
}

/** One endpoint: a host that answers requests as its temperament has it. */
export class Backend implements ListeningSocket {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly cluster: string;
  readonly network: Network;
  readonly ledger: Ledger;
  readonly prng: Prng;
  readonly sharesPort = false;
  temperament: Temperament = WELL;
  readonly connections = new Set<BackendConnection>();
  #listening = false;

  constructor(options: BackendOptions) {
    this.network = options.network;
    this.ledger = options.ledger;
    this.prng = options.prng;
    this.cluster = options.cluster;
    this.address = options.address;
    this.port = options.port;
    this.name = `${options.address}:${options.port}`;
  }

  get isUp(): boolean {
    return this.#listening;
  }

  start(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.network.listen(this.address, this.port, this);
  }

  /** New connections are refused; those there are end where the process has died. */
  stop(how: 'refuse' | 'die'): void {
    if (this.#listening) this.network.unlisten(this.address, this.port, this);
    this.#listening = false;
    if (how === 'die') for (const connection of [...this.connections]) connection.cut(this.prng.chance(0.5));
  }

  offer(side: Side): boolean {
    this.connections.add(new BackendConnection(this, side));
    return true;
  }
}

/** A connection to a backend: one request after another, answered in order. */
export class BackendConnection implements SideOwner, MessageReaderOwner, BackendLink {
  readonly side: Side;
  isPoisoned = false;
  isCut = false;
  readonly #backend: Backend;
  readonly #reader = new MessageReader('request', this);
  readonly #outbox: Outbox;
  #attempt: Attempt | null = null;
  #read = 0;
  #length = -1;
  #answering = false;
  /** The request at hand is being answered, or has been before its end. */
  #hasBegun = false;
  /** The answer under way, and what had been sent before it. */
  #plan: PlannedAnswer | null = null;
  #sentBefore = 0;
  #requestDone = true;
  #isEcho = false;

  constructor(backend: Backend, side: Side) {
    this.#backend = backend;
    this.side = side;
    this.#outbox = new Outbox(side);
    side.owner = this;
    backend.network.clock.after(0, () => this.onReadable());
  }

  onConnect(): void {}

  onRoom(): void {
    this.#outbox.pump();
  }

  onReadable(): void {
    if (this.isCut) return;
    for (let length = this.side.read(READ); length > 0 && !this.isCut; length = this.side.read(READ))
      this.#reader.feed(READ.subarray(0, length));
    if (this.isCut || !(this.side.isBroken || this.side.atEnd)) return;
    if (this.#isEcho && !this.side.isBroken)
      this.#outbox.whenEmpty(() => {
        if (!this.isCut) this.cut(false);
      });
    else this.#gone();
  }

  onHead({ first, second, fields }: MessageHead): boolean {
    const id = Number(fields.get('x-request') ?? -1);
    // A copy for a mirror is as it was for the cluster that it is a copy of.
    const asked = this.#backend.ledger.requests[id]?.cluster ?? this.#backend.cluster;
    const path = backendPath(asked, id);
    if (second !== path)
      this.#backend.ledger.broken(`${this.#backend.name} got ${second} with the id ${id}, expected ${path}`);
    if ((this.#answering && !this.isPoisoned) || !this.#requestDone)
      this.#backend.ledger.broken(
        `${this.#backend.name} got request ${id} before it had answered the one before`,
      );
    const { name, cluster, ledger } = this.#backend;
    this.#attempt = ledger.arrived(id, first, name, cluster, this);
    this.#checkFields(id, asked, fields);
    this.#read = 0;
    this.#length = Number(fields.get('x-length') ?? 0);
    this.#requestDone = false;
    this.#hasBegun = false;
    const { prng, temperament } = this.#backend;
    if (this.#attempt?.request.upgrades === true && !prng.chance(temperament.lie)) {
      this.#switch(this.#attempt);
      return false;
    }
    if (this.#attempt !== null && this.#backend.prng.chance(this.#backend.temperament.early)) this.#answer();
    else if (this.#attempt !== null && !this.isPoisoned) this.#askForBody(this.#attempt);
    return true;
  }

  /** From now on it sends back whatever comes. */
  #switch(attempt: Attempt): void {
    const { prng, temperament, network } = this.#backend;
    this.#isEcho = true;
    this.#answering = true;
    this.#reader.toRaw();
    attempt.answer = { status: 101, length: 0, isWhole: false };
    this.#outbox.send(
      Buffer.from(
        `HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\nX-Answer: ${attempt.id}\r\n\r\n`,
      ),
    );
    if (!prng.chance(temperament.die)) return;
    network.clock.after(prng.between(0, 1_000), () => {
      if (!this.isCut) this.cut(prng.chance(0.5));
    });
  }

  #checkFields(id: number, cluster: string, fields: ReadonlyMap<string, string>): void {
    const { ledger, name } = this.#backend;
    const asked = ledger.requests[id]?.host;
    const [host, set, added, removed] = ['host', 'x-set', 'x-add', 'x-remove'].map((field) =>
      fields.get(field),
    );
    const isRight = isFiltered(cluster)
      ? host === 'behind.test' && set === 'by the edge' && added === 'added' && removed === undefined
      : host === asked && set === 'by the client' && !added && removed === 'from the client';
    if (!isRight) ledger.broken(`${name} got request ${id} without what the filters of its route do`);
  }

  /** Some backends do not care whether they were asked. */
  #askForBody(attempt: Attempt): void {
    const { prng } = this.#backend;
    if (!prng.chance(attempt.request.expects ? 0.7 : 0.02)) return;
    attempt.saidContinue = true;
    this.#outbox.send(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'));
  }

  onBody(bytes: Buffer): void {
    const request = this.#attempt?.request;
    if (request === undefined) return;
    const wrong = mismatch(request.id, this.#read, bytes);
    if (wrong !== -1)
      this.#backend.ledger.broken(
        `byte ${this.#read + wrong} of the body of request ${request.id} is not what its client sent`,
      );
    this.#read += bytes.length;
    if (this.#isEcho) this.#outbox.send(Buffer.from(bytes));
  }

  onMessageEnd(): void {
    this.#requestDone = true;
    const request = this.#attempt?.request;
    if (request === undefined) return;
    if (this.#read !== this.#length || this.#length !== request.bodyLength)
      this.#backend.ledger.broken(
        `request ${request.id} ended with ${this.#read} bytes of body; its client sends ${request.bodyLength}`,
      );
    if (!this.#hasBegun) this.#answer();
  }

  onMalformed(what: string): void {
    this.#backend.ledger.broken(`${this.#backend.name} got a malformed request: ${what}`);
  }

  cut(byReset: boolean): void {
    const answer = this.#plan;
    if (answer !== null && this.#attempt !== null) {
      const sent = this.#outbox.sent - this.#sentBefore;
      const { status, bytes, openBodyAt, cut } = answer;
      // What nothing but the connection ends is whole wherever it ends.
      if (sent < bytes.length || cut === 'silence')
        this.#attempt.answer = {
          status,
          length: sent - openBodyAt,
          isWhole: openBodyAt !== -1 && !byReset && sent >= openBodyAt,
        };
    }
    this.#outbox.drop();
    if (byReset) this.side.reset();
    else this.side.close();
    this.#gone();
  }

  #gone(): void {
    this.isCut = true;
    this.#outbox.drop();
    this.side.close();
    this.#backend.connections.delete(this);
  }

  #answer(): void {
    const { temperament, prng, network } = this.#backend;
    const attempt = this.#attempt!;
    this.#answering = true;
    this.#hasBegun = true;
    const plan = planAnswer(attempt.id, attempt.request.method, temperament, prng);
    const think = prng.chance(0.3) ? 0 : prng.between(0, temperament.thinkMs);
    network.clock.after(think, () => {
      if (this.isCut) return;
      attempt.answer = plan;
      this.#plan = plan;
      this.#sentBefore = this.#outbox.sent;
      if (plan.isPoisonous) this.isPoisoned = true;
      if (plan.isSlow) this.#sendSlowly(plan, plan.bytes);
      else {
        this.#outbox.send(plan.bytes);
        this.#outbox.whenEmpty(() => this.#sent(plan));
      }
    });
  }

  #sendSlowly(plan: PlannedAnswer, bytes: Buffer): void {
    if (this.isCut) return;
    const { prng, network } = this.#backend;
    const size = bytes.length > 400 ? 1 + prng.below(bytes.length) : 1 + prng.below(20);
    this.#outbox.send(bytes.subarray(0, size));
    if (bytes.length <= size) this.#outbox.whenEmpty(() => this.#sent(plan));
    else
      this.#outbox.whenEmpty(() =>
        network.clock.after(prng.between(0, 200), () => this.#sendSlowly(plan, bytes.subarray(size))),
      );
  }

  #sent(plan: PlannedAnswer): void {
    if (this.isCut) return;
    const { prng, network, temperament } = this.#backend;
    if (plan.cut === 'silence') return;
    if (plan.cut !== 'no' || plan.closes) {
      this.cut(plan.cut === 'reset');
      return;
    }
    this.#answering = false;
    this.#plan = null;
    if (!prng.chance(temperament.closeIdle)) return;
    const wait = prng.chance(0.5) ? prng.between(0, 5) : prng.between(0, 300);
    network.clock.after(wait, () => {
      if (!this.isCut && !this.#answering) this.cut(false);
    });
  }
}
