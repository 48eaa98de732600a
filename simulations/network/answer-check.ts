import { STATUS_CODES } from 'node:http';
import { RESPONSE_REASONS, type ResponseReason } from '../../src/model/response-reason.ts';
import type { Attempt, Ledger, RequestEntry } from './ledger.ts';
import type { MessageHead } from './message-reader.ts';
import { mismatch } from './pattern.ts';
import { isFiltered } from './topology.ts';

/** Answers of the proxy itself that a well-formed request of a route that exists can meet. */
const POSSIBLE: ReadonlySet<string> = new Set<ResponseReason>([
  'request_timeout',
  'cluster_not_found',
  'no_healthy_endpoint',
  'connection_limit',
  'pending_limit',
  'pending_timeout',
  'draining',
  'upstream_connect_failed',
  'upstream_connect_timeout',
  'upstream_reset',
  'upstream_protocol_error',
  'upstream_timeout',
]);

/** Follows one answer as a client gets it, and compares it with what the backend that gave it has said of it. */
export class AnswerCheck {
  /** Why the proxy answered by itself; empty: a backend did. */
  readonly reason: string;
  readonly status: number;
  readonly #ledger: Ledger;
  readonly #request: RequestEntry;
  readonly #attempt: Attempt | null;
  readonly #text: string;
  #length = 0;
  #local = '';

  /** `port`: the listener's that it came through. `listening`: names the listeners there are now. */
  constructor(
    ledger: Ledger,
    request: RequestEntry,
    { second, fields }: MessageHead,
    { port, listening }: { readonly port: number; readonly listening: string | null },
  ) {
    this.#ledger = ledger;
    this.#request = request;
    this.status = Number(second);
    this.reason = fields.get('x-novaedge-reason') ?? '';
    this.#attempt = null;
    this.#text = `${this.status} ${STATUS_CODES[this.status]}: ${this.reason}\n`;
    if (this.reason === 'redirect' && request.isRedirected) {
      const location = `http://${request.host}:${port}/${request.cluster.split('/')[1]}/${request.id}`;
      if (this.status !== 302 || fields.get('location') !== location)
        ledger.broken(`request ${request.id} was sent to ${fields.get('location')} by ${this.status}`);
      return;
    }
    if (this.reason === 'route_not_found') {
      if (request.served !== null && request.served === listening)
        ledger.broken(`request ${request.id} to ${request.host} found no route, though a listener serves it`);
      return;
    }
    if (this.reason !== '') {
      if (!POSSIBLE.has(this.reason)) ledger.broken(`request ${request.id} was answered with ${this.reason}`);
      else if (RESPONSE_REASONS[this.reason as ResponseReason] !== this.status)
        ledger.broken(`request ${request.id} was answered with ${this.status} for ${this.reason}`);
      return;
    }
    const attempt = ledger.attempts[Number(fields.get('x-answer') ?? -1)];
    if (attempt === undefined) ledger.broken(`request ${request.id} got an answer that no backend gave`);
    else if (attempt.connection.isPoisoned) return;
    else if (attempt.request !== request)
      ledger.broken(
        `request ${request.id} got the answer to request ${attempt.request.id} (${attempt.backend})`,
      );
    else if (attempt !== request.attempts.at(-1))
      ledger.broken(`request ${request.id} got the answer of ${attempt.backend}, and was sent on after it`);
    else if (attempt.answer === null || attempt.answer.status !== this.status)
      ledger.broken(
        `request ${request.id} got ${this.status}; ${attempt.backend} said ${attempt.answer?.status}`,
      );
    else if (!isFilteredRight(request.cluster, fields))
      ledger.broken(`the answer to request ${request.id} has not passed the filters of its route`);
    else this.#attempt = attempt;
  }

  /** A backend gave it, and all of it was as it should be. */
  get isGood(): boolean {
    return this.#attempt !== null;
  }

  body(bytes: Buffer): void {
    if (this.reason !== '') this.#local += bytes.toString('latin1');
    else if (this.#attempt !== null) {
      const wrong = mismatch(this.#attempt.id, this.#length, bytes);
      if (wrong !== -1)
        this.#ledger.broken(
          `byte ${this.#length + wrong} of the answer to request ${this.#request.id} is not what ${this.#attempt.backend} sent`,
        );
    }
    this.#length += bytes.length;
  }

  end(): void {
    const { id, method } = this.#request;
    if (this.reason !== '') {
      // Behind the reason it may say what exactly was wrong.
      const said = this.#local.replace(/ \([a-z0-9_]+\)\n$/, '\n');
      if (said !== (method === 'HEAD' ? '' : this.#text))
        this.#ledger.broken(`request ${id} got ${JSON.stringify(this.#local)} for ${this.reason}`);
      return;
    }
    const answer = this.#attempt?.answer;
    if (answer === undefined || answer === null) return;
    if (!answer.isWhole)
      this.#ledger.broken(`request ${id} got as whole what ${this.#attempt?.backend} had not ended`);
    else if (method !== 'HEAD' && this.#length !== answer.length)
      this.#ledger.broken(
        `request ${id} got ${this.#length} bytes; ${this.#attempt?.backend} sent ${answer.length}`,
      );
  }
}

function isFilteredRight(cluster: string, fields: ReadonlyMap<string, string>): boolean {
  const [route, secret] = [fields.get('x-route'), fields.get('x-secret')];
  return isFiltered(cluster)
    ? route === 'filtered' && secret === undefined
    : route === undefined && secret === 'of the backend';
}
