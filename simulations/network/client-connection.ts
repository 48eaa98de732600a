import { AnswerCheck } from './answer-check.ts';
import type { ClientOptions, Manners, Target } from './client.ts';
import { writeRequest } from './client-request.ts';
import type { RequestEntry } from './ledger.ts';
import type { MessageHead, MessageReaderOwner } from './message-reader.ts';
import { MessageReader } from './message-reader.ts';
import { Outbox } from './outbox.ts';
import { mismatch, pattern } from './pattern.ts';
import type { Side, SideOwner } from './side.ts';

const READ = Buffer.alloc(65_536);
const CONNECT_MS = 3_000;

/** A connection of a client: its requests, and the answers that it waits for, in order. */
export class ClientConnection implements SideOwner, MessageReaderOwner {
  /** Answers that came whole, from backends and from the proxy itself. */
  readonly answers: AnswerCheck[] = [];
  isOver = false;
  readonly #options: ClientOptions;
  readonly #manners: Manners;
  readonly #cluster: string | null;
  readonly #onOver: () => void;
  readonly #port: number;
  readonly #host: string;
  /** As listeners were when it connected: what comes through a port that is left finds what was there then. */
  readonly #listening: string | null;
  readonly #side: Side;
  readonly #outbox: Outbox;
  readonly #reader = new MessageReader('response', this);
  readonly #waiting: RequestEntry[] = [];
  readonly #isSlowReader: boolean;
  readonly #isOld: boolean;
  /** Kept back until it is asked for, or for a while. */
  #body: Buffer | null = null;
  #left: number;
  #check: AnswerCheck | null = null;
  #isDeaf = false;
  #isReading = false;
  #isLast = false;
  #isStalled = false;
  /** Of the upgraded connection: what it sends, and what has come back. */
  #tunnelled = -1;
  #echoed = 0;
  #progressAt: number;

  constructor(
    options: ClientOptions,
    { port, host }: Target,
    manners: Manners,
    requests: number,
    cluster: string | null,
    onOver: () => void,
  ) {
    const { network, prng, name, proxy, patienceMs } = options;
    this.#options = options;
    this.#manners = manners;
    this.#cluster = cluster;
    this.#onOver = onOver;
    this.#port = port;
    this.#host = host;
    this.#listening = options.listening();
    this.#left = requests;
    this.#isSlowReader = prng.chance(manners.slowReader);
    this.#isOld = prng.chance(manners.old);
    this.#progressAt = network.clock.now;
    this.#side = network.connect(name, proxy, port);
    this.#side.owner = this;
    this.#outbox = new Outbox(this.#side);
    network.clock.after(CONNECT_MS, () => this.#side.state === 'connecting' && this.#end());
    if (prng.chance(manners.abort))
      network.clock.after(prng.between(0, prng.pick([20, 200, 1_000])), () => this.#abort());
    this.#watch(patienceMs);
  }

  /** It waits for the answer to a request to upgrade, after which it has something to say. */
  get #mayUpgrade(): boolean {
    return this.#tunnelled === -1 && this.#waiting.some(({ upgrades }) => upgrades);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** An upgraded connection has brought back all that was sent through it. */
  get isEchoed(): boolean {
    return this.#tunnelled > 0 && this.#echoed === this.#tunnelled;
  }

  onConnect(): void {
    this.#progressAt = this.#options.network.clock.now;
    this.#next();
  }

  onRoom(): void {
    this.#progressAt = this.#options.network.clock.now;
    this.#outbox.pump();
  }

  onReadable(): void {
    if (this.isOver) return;
    if (this.#side.state === 'connecting') {
      this.#end();
      return;
    }
    if (this.#isDeaf || this.#isReading) return;
    if (this.#isSlowReader) this.#readSlowly();
    else {
      for (let length = this.#side.read(READ); length > 0 && !this.isOver; length = this.#side.read(READ))
        this.#feed(length);
      this.#checkEnd();
    }
  }

  /** No more requests; it goes when it has its answers. */
  finish(): void {
    this.#left = 0;
    if (this.#waiting.length === 0) this.#end();
  }

  onHead(head: MessageHead): boolean {
    const status = Number(head.second);
    const request = this.#waiting[0];
    if (status === 101) {
      this.#upgraded(request, head.fields.get('x-answer') ?? '');
      return false;
    }
    if (status < 200) {
      this.#check = null;
      this.#interim(status, request);
      return false;
    }
    if (request === undefined) {
      this.#broken('got an answer to no request');
      return false;
    }
    const { ledger, listening } = this.#options;
    this.#check = new AnswerCheck(ledger, request, head, { port: this.#port, listening: listening() });
    const closes = head.fields.get('connection') === 'close';
    if (closes) this.#isLast = true;
    if (this.#body !== null) {
      // RFC 9110 section 10.1.1: the body may never come, so that the next request could be taken for it.
      if (!closes)
        this.#broken(`got an answer to request ${request.id}, whose body was not asked for, and is kept`);
      this.#body = null;
    }
    if (request.isOld && head.fields.has('transfer-encoding'))
      this.#broken(`got chunks for request ${request.id} of HTTP/1.0`);
    const hasLength = head.fields.has('content-length') || head.fields.has('transfer-encoding');
    if (!hasLength && status !== 204 && request.method !== 'HEAD' && !(request.isOld && closes))
      this.#broken(`got an answer to request ${request.id} without a length`);
    return request.method !== 'HEAD' && status !== 204;
  }

  onBody(bytes: Buffer): void {
    if (this.#tunnelled === -1) {
      this.#check?.body(bytes);
      return;
    }
    const { id } = this.#waiting[0]!;
    const wrong = mismatch(id, this.#echoed, bytes);
    this.#echoed += bytes.length;
    if (wrong !== -1 || this.#echoed > this.#tunnelled)
      this.#broken(`got another echo through the connection that request ${id} upgraded than it had sent`);
  }

  onMessageEnd(): void {
    const check = this.#check;
    if (check === null) return;
    this.#check = null;
    check.end();
    this.answers.push(check);
    const most = this.#options.mostRequests;
    if (most > 0 && (this.answers.length > most || (this.answers.length === most && !this.#isLast)))
      this.#broken(`got ${this.answers.length} answers on a connection that may have ${most}`);
    const request = this.#waiting.shift()!;
    if (check.reason !== '')
      this.#options.note(`request ${request.id} is answered ${check.status} ${check.reason}`);
    if (this.#waiting.length > 0) return;
    const { network, prng } = this.#options;
    network.clock.after(prng.between(0, prng.chance(0.5) ? 1 : this.#manners.thinkMs), () => this.#next());
  }

  onMalformed(what: string): void {
    this.#broken(`got a malformed answer: ${what}`);
  }

  #feed(length: number): void {
    this.#progressAt = this.#options.network.clock.now;
    this.#reader.feed(READ.subarray(0, length));
  }

  #readSlowly(): void {
    const { network, prng } = this.#options;
    this.#isReading = true;
    network.clock.after(prng.between(0, 30), () => {
      this.#isReading = false;
      if (this.isOver) return;
      const length = this.#side.read(READ.subarray(0, 1 + prng.below(prng.chance(0.3) ? 60 : 8_000)));
      if (length > 0) {
        this.#feed(length);
        this.onReadable();
      } else this.#checkEnd();
    });
  }

  #checkEnd(): void {
    if (this.isOver || !(this.#side.isBroken || this.#side.atEnd)) return;
    // What only the connection's end ends cannot be told from what a dead worker's kernel ends.
    if (!this.#side.isBroken && !this.#side.incoming.isAbandoned) this.#reader.end();
    if (this.#waiting.length > 0) {
      const how = this.#side.isBroken ? 'reset' : 'closed';
      this.#options.note(`request ${this.#waiting[0]!.id} is not answered: the connection was ${how}`);
    }
    this.#end();
  }

  #next(): void {
    if (this.isOver || this.#waiting.length > 0) return;
    const { prng, ledger, name, clusters, network, targets, listening } = this.#options;
    if (this.#left <= 0 || this.#isLast) {
      this.#end();
      return;
    }
    const atOnce =
      !this.#isOld && prng.chance(this.#manners.pipeline) ? Math.min(this.#left, 2 + prng.below(3)) : 1;
    const hosts = targets().filter(({ port }) => port === this.#port);
    const served = hosts.length > 0;
    const parts: Buffer[] = [];
    for (let index = 0; index < atOnce; index += 1) {
      this.#left -= 1;
      const host = served ? prng.pick(hosts).host : this.#host;
      const upgrades = this.#left === 0 && atOnce === 1 && !this.#isOld && prng.chance(this.#manners.upgrade);
      const { entry, head, body, isLast } = writeRequest(ledger, prng, {
        client: name,
        cluster: this.#cluster ?? prng.pick(clusters),
        manners: this.#manners,
        host,
        served: served && listening() === this.#listening ? this.#listening : null,
        isPipelined: atOnce > 1,
        isOld: this.#isOld,
        last: this.#left === 0,
        upgrades,
      });
      this.#waiting.push(entry);
      if (this.#isOld && isLast) this.#isLast = true;
      parts.push(head);
      if (entry.expects) this.#body = body;
      else parts.push(body);
    }
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (prng.chance(this.#manners.deaf)) {
      this.#isDeaf = true;
      network.clock.after(prng.between(0, 4_000), () => {
        this.#isDeaf = false;
        this.#progressAt = network.clock.now;
        this.onReadable();
      });
    }
    if (this.#body !== null) {
      this.#outbox.send(bytes);
      network.clock.after(prng.between(0, 400), () => this.#sendBody());
    } else if (prng.chance(this.#manners.stall)) {
      this.#isStalled = true;
      this.#outbox.send(bytes.subarray(0, prng.below(bytes.length)));
    } else if (prng.chance(this.#manners.slowSender)) this.#sendSlowly(bytes);
    else this.#send(bytes);
  }

  #upgraded(request: RequestEntry | undefined, answer: string): void {
    if (request?.upgrades !== true || request.attempts.at(-1)?.id !== Number(answer)) {
      this.#broken('got a 101 that nobody asked for');
      return;
    }
    const { prng } = this.#options;
    this.#reader.toRaw();
    this.#tunnelled = 1 + prng.below(this.#manners.mostBytes);
    const bytes = pattern(request.id, 0, this.#tunnelled);
    if (prng.chance(this.#manners.slowSender)) this.#sendSlowly(bytes);
    else this.#send(bytes);
  }

  /** 100 only where it was asked for, and once; none at all for HTTP/1.0 (RFC 9110 section 15.2). */
  #interim(status: number, request: RequestEntry | undefined): void {
    if (request === undefined || request.isOld) this.#broken(`got a ${status} that nobody waits for`);
    else if (status === 100) {
      if (!request.expects || !request.attempts.some(({ saidContinue }) => saidContinue))
        this.#broken(`got a 100 for request ${request.id}, which it or its backend did not ask for`);
      else this.#sendBody();
    }
  }

  #sendBody(): void {
    const body = this.#body;
    if (body === null || this.isOver) return;
    this.#body = null;
    this.#progressAt = this.#options.network.clock.now;
    this.#send(body);
  }

  #send(bytes: Buffer): void {
    this.#outbox.send(bytes);
    this.#outbox.whenEmpty(() => {
      // Half of an upgraded connection is always ended: the echo goes on, and then ends it.
      const isOver = this.#tunnelled !== -1 || this.#options.prng.chance(this.#manners.halfClose);
      if (this.#left === 0 && isOver && !this.#mayUpgrade) this.#side.end();
    });
  }

  #sendSlowly(bytes: Buffer): void {
    const { prng, network } = this.#options;
    if (this.isOver) return;
    const size = 1 + prng.below(prng.chance(0.5) ? 20 : bytes.length);
    this.#progressAt = network.clock.now;
    if (size >= bytes.length) {
      this.#send(bytes);
      return;
    }
    this.#outbox.send(bytes.subarray(0, size));
    this.#outbox.whenEmpty(() =>
      network.clock.after(prng.between(0, 150), () => this.#sendSlowly(bytes.subarray(size))),
    );
  }

  /** Whoever waits for the proxy hears something within its timeouts, were it that the connection is closed. */
  #watch(patienceMs: number): void {
    const { network, name, proxy } = this.#options;
    const links = [network.link(name, proxy), network.link(proxy, name)];
    const blocks = links.reduce((sum, link) => sum + link.blocks, 0);
    network.clock.after(patienceMs, () => {
      if (this.isOver) return;
      const undisturbed =
        links.every((link) => !link.blocked) && blocks === links.reduce((sum, link) => sum + link.blocks, 0);
      const quiet = network.clock.now - this.#progressAt;
      if (undisturbed && quiet >= patienceMs && !this.#isDeaf) {
        const what = this.#waiting.map(({ id }) => id).join(', ') || 'nothing';
        const stalled = this.#isStalled ? ' (which it has not sent whole)' : '';
        this.#broken(`heard nothing for ${Math.round(quiet)} ms, waiting for ${what}${stalled}`);
      } else this.#watch(Math.max(1, undisturbed ? patienceMs - quiet : patienceMs));
    });
  }

  #abort(): void {
    if (this.isOver) return;
    if (this.#options.prng.chance(0.5)) this.#side.reset();
    this.#end();
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#outbox.drop();
    this.#side.close();
    this.#onOver();
  }

  #broken(what: string): void {
    this.#options.ledger.broken(`${this.#options.name} on port ${this.#port} ${what}`);
    this.#end();
  }
}
