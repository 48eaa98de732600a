import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

/**
 * Remembers every byte of every connection. Answers each request whose end it sees by the simplest means there are,
 * so that nothing waits: after each read it answers once for every request that is whole by then.
 */
export class RecordingBackend {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #wake: () => void = () => {};
  #received: { text: string; socket: Socket }[] = [];
  /** Number of whole requests in what a connection has sent. */
  readonly #count: (text: string) => number;

  private constructor(count: (text: string) => number) {
    this.#count = count;
    this.#server = createServer({ noDelay: true }, (socket) => {
      const record = { text: '', socket };
      this.#received.push(record);
      this.#sockets.add(socket);
      let answered = 0;
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (bytes: Buffer) => {
        record.text += bytes.toString('latin1');
        this.#wake();
        for (const whole = this.#count(record.text); answered < whole; answered += 1)
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
  }

  static async start(count: (text: string) => number): Promise<RecordingBackend> {
    const backend = new RecordingBackend(count);
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What each connection has sent, in the order in which they came. */
  get received(): readonly string[] {
    return this.#received.map(({ text }) => text).filter((text) => text !== '');
  }

  /** Resolves when what has come fulfils the condition. */
  async until(condition: (received: readonly string[]) => boolean): Promise<void> {
    while (!condition(this.received))
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  /** Connections are dropped, so that nothing of one test is in the next. */
  async forget(): Promise<void> {
    const closed = [...this.#sockets].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    this.#received = [];
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
