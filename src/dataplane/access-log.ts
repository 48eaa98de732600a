import { AppendFile } from '../os/append-file.ts';
import { wallNow } from '../os/clock.ts';
import type { Secured } from './tls/secured.ts';

export interface AccessRecord {
  readonly listener: string;
  readonly route: string;
  /** As the client speaks it: `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** Name of a call's status; empty: it is none. */
  readonly grpcStatus: string;
  /** Empty where the backend answered. */
  readonly reason: string;
  /** What exactly was wrong with a message that was refused. */
  readonly detail: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** How often it was sent to a backend, or tried to be. */
  readonly attempts: number;
  /** Empty where none was asked. */
  readonly upstream: string;
  readonly upstreamMs: number;
  /** Why the last connection to a backend that was tried in vain failed; empty: none was. */
  readonly connectFailure: string;
  readonly requestId: string;
  readonly client: string;
  /** Null: in clear text. */
  readonly secured: Pick<Secured, 'protocol' | 'cipher' | 'serverName'> | null;
}

/** What a character may become: `\u00ff`. */
const MOST_ESCAPED = 6;
/** Names of fields, quotes, commas and numbers of a line. */
const FRAME_BYTES = 1024;

/** One JSON line a request, written in the background; what the disk cannot take is dropped and said so. */
export class AccessLog {
  readonly #file: AppendFile;
  readonly #now: () => number;
  #reported = 0;
  /** `2026-11-20T16:25:04.` of this second. */
  #second = Number.NaN;
  #secondText = '';
  #at = 0;

  /** `now` gives milliseconds since the epoch. */
  constructor(path: string, now: () => number = wallNow) {
    this.#file = new AppendFile(path);
    this.#now = now;
  }

  get dropped(): number {
    return this.#file.dropped;
  }

  write(record: AccessRecord): void {
    const characters =
      record.listener.length +
      record.route.length +
      record.method.length +
      record.host.length +
      record.path.length +
      record.upstream.length +
      record.requestId.length +
      record.client.length +
      (record.secured === null ? 0 : record.secured.serverName.length);
    if (!this.#file.reserve(characters * MOST_ESCAPED + FRAME_BYTES)) return;
    this.#at = this.#file.length;
    this.#plain('{"time":"');
    this.#time();
    this.#plain('","listener":"');
    this.#escaped(record.listener);
    this.#plain('","route":"');
    this.#escaped(record.route);
    this.#plain('","protocol":"');
    this.#plain(record.protocol);
    this.#plain('","method":"');
    this.#escaped(record.method);
    this.#plain('","host":"');
    this.#escaped(record.host);
    this.#plain('","path":"');
    this.#escaped(record.path);
    this.#plain('","status":');
    this.#integer(record.status);
    if (record.grpcStatus !== '') {
      this.#plain(',"grpcStatus":"');
      this.#plain(record.grpcStatus);
      this.#plain('"');
    }
    this.#plain(',"reason":"');
    this.#plain(record.reason);
    this.#plain('","detail":"');
    this.#plain(record.detail);
    this.#plain('","bytesIn":');
    this.#integer(record.bytesIn);
    this.#plain(',"bytesOut":');
    this.#integer(record.bytesOut);
    this.#plain(',"durationMs":');
    this.#milliseconds(record.durationMs);
    this.#plain(',"attempts":');
    this.#integer(record.attempts);
    this.#plain(',"upstream":"');
    this.#escaped(record.upstream);
    this.#plain('","upstreamMs":');
    this.#milliseconds(record.upstreamMs);
    if (record.connectFailure !== '') {
      this.#plain(',"connectFailure":"');
      this.#plain(record.connectFailure);
      this.#plain('"');
    }
    this.#plain(',"requestId":"');
    this.#escaped(record.requestId);
    this.#plain('","client":"');
    this.#escaped(record.client);
    if (record.secured !== null) this.#tls(record.secured);
    this.#plain('"}\n');
    this.#file.commit(this.#at);
  }

  /** A few times a second. */
  flush(): void {
    const lines = this.#file.dropped - this.#reported;
    if (lines > 0 && this.#file.reserve(FRAME_BYTES)) {
      this.#reported += lines;
      this.#at = this.#file.length;
      this.#plain('{"time":"');
      this.#time();
      this.#plain('","dropped":');
      this.#integer(lines);
      this.#plain('}\n');
      this.#file.commit(this.#at);
    }
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }

  #tls({ protocol, cipher, serverName }: NonNullable<AccessRecord['secured']>): void {
    this.#plain('","tls":"');
    this.#plain(protocol);
    this.#plain('","cipher":"');
    this.#plain(cipher);
    this.#plain('","serverName":"');
    this.#escaped(serverName);
  }

  /** ASCII that needs no escape. */
  #plain(text: string): void {
    const bytes = this.#file.bytes;
    let at = this.#at;
    for (let index = 0; index < text.length; index += 1) bytes[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  /** The inside of a JSON string (RFC 8259 section 7); beyond ASCII as `\u`, so that the file is ASCII. */
  #escaped(text: string): void {
    const bytes = this.#file.bytes;
    let at = this.#at;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code < 32 || code > 126 || code === 34 || code === 92) {
        this.#at = at;
        this.#plain(`\\u${code.toString(16).padStart(4, '0')}`);
        at = this.#at;
      } else bytes[at++] = code;
    }
    this.#at = at;
  }

  #integer(value: number): void {
    if (value < 1000) {
      if (value >= 100) this.#digit(Math.floor(value / 100));
      if (value >= 10) this.#digit(Math.floor(value / 10) % 10);
      this.#digit(value % 10);
    } else this.#plain(String(value));
  }

  /** Three decimals. */
  #milliseconds(value: number): void {
    const micros = Math.round(value * 1000);
    const whole = Math.floor(micros / 1000);
    this.#integer(whole);
    this.#plain('.');
    this.#three(micros - whole * 1000);
  }

  #three(value: number): void {
    this.#digit(Math.floor(value / 100));
    this.#digit(Math.floor(value / 10) % 10);
    this.#digit(value % 10);
  }

  #digit(value: number): void {
    this.#file.bytes[this.#at++] = 48 + value;
  }

  #time(): void {
    const now = Math.floor(this.#now());
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20);
    }
    this.#plain(this.#secondText);
    this.#three(now - second * 1000);
    this.#plain('Z');
  }
}
