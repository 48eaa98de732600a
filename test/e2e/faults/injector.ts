import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientConnection, FaultEvent, FaultKind, FaultReply, FaultRequest } from './protocol.ts';

const PRELOAD = fileURLToPath(new URL('./preload.ts', import.meta.url));

/** Environment of a process whose threads can be made to fail; `directory` is its alone. */
export function faultEnvironment(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: `--import=${PRELOAD}`, FAULTS_DIRECTORY: directory };
}

type Wish = FaultRequest extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

/** Makes threads of a running process fail, and hears from them when they are back. */
export class FaultInjector {
  readonly #directory: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: FaultReply) => void>();
  readonly #events: FaultEvent[] = [];
  #onEvent: () => void = () => {};
  #id = 0;

  private constructor(directory: string, socket: Socket) {
    this.#directory = directory;
    this.#socket = socket;
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const message = JSON.parse(text.slice(0, end)) as FaultReply | FaultEvent;
        text = text.slice(end + 1);
        if ('event' in message) {
          this.#events.push(message);
          this.#onEvent();
        } else this.#waiting.get(message.id)?.(message);
      }
    });
    socket.on('error', () => {});
  }

  static async connect(directory: string): Promise<FaultInjector> {
    const socket = connect(join(directory, 'control'));
    await once(socket, 'connect');
    return new FaultInjector(directory, socket);
  }

  /** Resolves with the time when the worker was about to fail; not before there is a thread of that worker. */
  async fault(worker: number, fault: FaultKind): Promise<number> {
    return (await this.#ask({ do: 'fault', worker, fault })).at;
  }

  /** The same where there may be no thread of that worker: then nothing happens. */
  faultIfThere(worker: number, fault: FaultKind): void {
    this.#id += 1;
    this.#say({ do: 'fault', worker, fault, id: this.#id });
  }

  /** The next thread that starts hangs: before it has loaded anything, or when it has been made a worker. */
  hangNextStart(when: 'before-role' | 'after-role'): void {
    writeFileSync(join(this.#directory, `hang-${when}`), '');
  }

  /** Client ports of those connections that the worker's thread has taken. */
  async accepted(worker: number, connections: readonly ClientConnection[]): Promise<readonly number[]> {
    if (connections.length === 0) return [];
    return (await this.#ask({ do: 'accepted', worker, connections })).ports!;
  }

  async heapBytes(): Promise<number> {
    return (await this.#ask({ do: 'heap' })).heapBytes!;
  }

  /** Resolves with the time when a thread of the worker, made so after `since`, takes connections. */
  async back(worker: number, since: number): Promise<number> {
    for (;;) {
      const role = this.#events.findLast((one) => one.event === 'role' && one.worker === worker);
      const first = this.#events.findLast((one) => one.event === 'accepted' && one.worker === worker);
      if (role !== undefined && first !== undefined && role.at > since && first.at > role.at) return first.at;
      await new Promise<void>((resolve) => {
        this.#onEvent = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(wish: Wish): Promise<FaultReply> {
    this.#id += 1;
    const id = this.#id;
    const answered = new Promise<FaultReply>((resolve) => {
      this.#waiting.set(id, (reply) => {
        this.#waiting.delete(id);
        resolve(reply);
      });
    });
    const ask = () => this.#say({ ...wish, id });
    ask();
    // Between two lives of a worker there is nobody to hear it.
    const again = setInterval(ask, 50);
    return answered.finally(() => clearInterval(again));
  }

  #say(request: FaultRequest): void {
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }
}
