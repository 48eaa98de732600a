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
}

/** A request as it arrived at a backend. */
export interface Attempt {
  readonly id: number;
  readonly request: RequestEntry;
  readonly backend: string;
  readonly connection: BackendLink;
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

  /** `broken` is told, in words, of what must not be. */
  constructor(broken: (message: string) => void) {
    this.#broken = broken;
  }

  broken(message: string): void {
    this.#broken(message);
  }

  open(options: Omit<RequestEntry, 'id' | 'attempts'>): RequestEntry {
    const entry: RequestEntry = { ...options, id: this.requests.length, attempts: [] };
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
    if (request === undefined || request.method !== method || request.cluster !== cluster) {
      this.#broken(`${backend} of ${cluster} got ${method} of request ${id}, which is ${describe(request)}`);
      return null;
    }
    const before = request.attempts.at(-1);
    if (before !== undefined) this.#checkRetry(request, before, backend);
    const attempt: Attempt = {
      id: this.attempts.length,
      request,
      backend,
      connection,
      readBefore: connection.side.outgoing.bytesRead,
      saidContinue: false,
      answer: null,
    };
    this.attempts.push(attempt);
    request.attempts.push(attempt);
    return attempt;
  }

  /** RFC 9110 section 9.2.2: only what is idempotent may be sent again, and only where no answer had begun. */
  #checkRetry(request: RequestEntry, before: Attempt, backend: string): void {
    const where = `request ${request.id} (${request.method}) came to ${before.backend} and again to ${backend}`;
    const { connection, readBefore } = before;
    if (request.method === 'POST') this.#broken(`${where}: it is not idempotent`);
    else if (!connection.isCut) this.#broken(`${where}: the first has not been cut`);
    else if (connection.side.outgoing.bytesRead > readBefore && !connection.isPoisoned)
      this.#broken(`${where}: an answer had begun`);
    else if (request.attempts.length > 3)
      this.#broken(`${where}, for the ${request.attempts.length + 1}th time`);
  }
}

function describe(request: RequestEntry | undefined): string {
  return request === undefined ? 'unknown' : `${request.method} to ${request.cluster}`;
}
