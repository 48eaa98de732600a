import type { Mirror, RetryCondition, RetryPolicy } from '../../src/model/route.ts';
import type { Side } from './side.ts';

/** One request of one client. */
export interface RequestEntry {
  readonly id: number;
  readonly client: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly cluster: string;
  readonly bodyLength: number;
  /** HTTP/1.0, and what comes of it: no chunks, no interim answers. */
  readonly isOld: boolean;
  /** Waits with its body for a 100 (Continue), for a while. */
  readonly expects: boolean;
  /** Of a path that the proxy redirects. */
  readonly isRedirected: boolean;
  readonly host: string;
  /** Names the listeners as they were when it was written, if one served it; null: none did, or they have changed since it connected. */
  readonly served: string | null;
  readonly attempts: Attempt[];
  /** Copies of it that came to other backends. */
  readonly copies: Attempt[];
}

/** Of what was certainly not processed; the policy's retries come on top. */
const MOST_UNPROCESSED = 3;

/** What the routes do with requests for a cluster. */
export interface Repetition {
  readonly retry: RetryPolicy | null;
  readonly mirrors: readonly Mirror[];
}

/** A request as it arrived at a backend. */
export interface Attempt {
  readonly id: number;
  readonly request: RequestEntry;
  readonly backend: string;
  readonly cluster: string;
  readonly connection: BackendLink;
  /** The answer goes to nobody. */
  readonly isCopy: boolean;
  /** Bytes of the connection that the proxy had read when the request came. */
  readonly readBefore: number;
  /** The backend has asked for the body by a 100 (Continue). */
  saidContinue: boolean;
  answer: { readonly status: number; readonly length: number; readonly isWhole: boolean } | null;
}

/** What the ledger needs to know of a backend's connection. */
export interface BackendLink {
  readonly side: Side;
  /** It has said more than it was asked for: whatever is read from it next can be taken for an answer. */
  isPoisoned: boolean;
  /** The backend has closed or cut it. */
  isCut: boolean;
}

/**
 * All requests of a run, at which backends they came up, and what was answered there. Clients and backends write
 * into it and compare with it; nothing of it passes through the proxy but ids.
 */
export class Ledger {
  readonly requests: RequestEntry[] = [];
  readonly attempts: Attempt[] = [];
  readonly #broken: (message: string) => void;

  readonly #repetition: (cluster: string) => Repetition;

  /** `broken` is told, in words, of what must not be. */
  constructor(broken: (message: string) => void, repetition: (cluster: string) => Repetition) {
    this.#broken = broken;
    this.#repetition = repetition;
  }

  broken(message: string): void {
    this.#broken(message);
  }

  open(options: Omit<RequestEntry, 'id' | 'attempts' | 'copies'>): RequestEntry {
    const entry: RequestEntry = { ...options, id: this.requests.length, attempts: [], copies: [] };
    this.requests.push(entry);
    return entry;
  }

  /** A backend has the head of a request. Null: it is not one that this backend can have got. */
  arrived(
    id: number,
    method: string,
    backend: string,
    cluster: string,
    connection: BackendLink,
  ): Attempt | null {
    const request = this.requests[id];
    const isOwn = request?.cluster === cluster;
    const mirrors = request === undefined ? [] : this.#repetition(request.cluster).mirrors;
    const isMirrored = mirrors.some((mirror) => mirror.cluster === cluster);
    if (request === undefined || request.method !== method || !(isOwn || isMirrored)) {
      this.#broken(`${backend} of ${cluster} got ${method} of request ${id}, which is ${describe(request)}`);
      return null;
    }
    const attempt: Attempt = {
      id: this.attempts.length,
      request,
      backend,
      cluster,
      connection,
      isCopy: !isOwn,
      readBefore: connection.side.outgoing.bytesRead,
      saidContinue: false,
      answer: null,
    };
    this.attempts.push(attempt);
    if (attempt.isCopy) {
      request.copies.push(attempt);
      const copies = request.copies.filter((copy) => copy.cluster === cluster).length;
      if (copies > 1) this.#broken(`request ${id} was mirrored to ${cluster} ${copies} times`);
      return attempt;
    }
    const before = request.attempts.at(-1);
    // What the proxy had given up before it arrived may come after what it sent next.
    if (before !== undefined && !connection.side.incoming.isOpenToWrite) {
      request.attempts.splice(-1, 0, attempt);
      return attempt;
    }
    if (before !== undefined) this.#checkRetry(request, before, backend);
    request.attempts.push(attempt);
    return attempt;
  }

  /**
   * RFC 9110 section 9.2.2: only what is idempotent may be sent again by itself, and only where no answer had begun;
   * anything else as the policy of its route has it.
   */
  #checkRetry(request: RequestEntry, before: Attempt, backend: string): void {
    const where = `request ${request.id} (${request.method}) came to ${before.backend} and again to ${backend}`;
    const { connection, readBefore, answer } = before;
    const { retry } = this.#repetition(request.cluster);
    const isAnswered = connection.side.outgoing.bytesRead > readBefore && !connection.isPoisoned;
    const isIdempotent = request.method !== 'POST';
    const isStale = isIdempotent && connection.isCut && !isAnswered;
    const asks = (condition: RetryCondition) => retry?.conditions.includes(condition) === true;
    const isAsked =
      (isIdempotent || retry?.methods === 'All') &&
      ((asks('Reset') && connection.isCut) ||
        asks('Timeout') ||
        (asks('Status') && answer !== null && retry!.codes.includes(answer.status)));
    if (!isStale && !isAsked) {
      const state = `${connection.isCut ? 'cut' : 'open'}${isAnswered ? ', an answer had begun' : ''}`;
      this.#broken(`${where}, which nothing allows: its connection was ${state}`);
    } else if (request.attempts.length >= MOST_UNPROCESSED + (retry?.attempts ?? 0))
      this.#broken(`${where}, for the ${request.attempts.length + 1}th time`);
  }
}

function describe(request: RequestEntry | undefined): string {
  return request === undefined ? 'unknown' : `${request.method} to ${request.cluster}`;
}
