import { AppendFile } from '../os/append-file.ts';
import { wallNow } from '../os/clock.ts';

export interface AccessRecord {
  readonly listener: string;
  readonly route: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** Empty where the backend answered. */
  readonly reason: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** How often it was sent to a backend, or tried to be. */
  readonly attempts: number;
  /** Empty where none was asked. */
  readonly upstream: string;
  readonly upstreamMs: number;
  readonly requestId: string;
  readonly client: string;
}

/** One JSON line a request, written in the background; what the disk cannot take is dropped and said so. */
export class AccessLog {
  readonly #file: AppendFile;
  #reported = 0;

  constructor(path: string) {
    this.#file = new AppendFile(path);
  }

  get dropped(): number {
    return this.#file.dropped;
  }

  write(record: AccessRecord): void {
    this.#file.append(
      `{"time":"${new Date(wallNow()).toISOString()}","listener":${JSON.stringify(record.listener)},"route":${JSON.stringify(record.route)},"method":${JSON.stringify(record.method)},"host":${JSON.stringify(record.host)},"path":${JSON.stringify(record.path)},"status":${record.status},"reason":"${record.reason}","bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},"durationMs":${record.durationMs.toFixed(3)},"attempts":${record.attempts},"upstream":${JSON.stringify(record.upstream)},"upstreamMs":${record.upstreamMs.toFixed(3)},"requestId":${JSON.stringify(record.requestId)},"client":"${record.client}"}\n`,
    );
  }

  /** A few times a second. */
  flush(): void {
    if (this.#file.dropped > this.#reported) {
      const lines = this.#file.dropped - this.#reported;
      this.#reported = this.#file.dropped;
      this.#file.append(`{"time":"${new Date(wallNow()).toISOString()}","dropped":${lines}}\n`);
    }
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}
