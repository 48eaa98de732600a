import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { ListenSocket } from '../../src/os/listen-socket.ts';
import { connectPlain, listenPlain } from '../../src/os/plain-handle.ts';
import { SocketStream, type StreamOwner } from '../../src/os/socket-stream.ts';
import { SYSTEM, type System } from '../../src/os/system.ts';

const PLAIN: System = { ...SYSTEM, connect: connectPlain, listen: listenPlain };
const SYSTEMS = [
  ['handles', SYSTEM],
  ['net', PLAIN],
] as const;
const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

/** Notes what it hears; `heard` resolves when the next of that kind has been heard. */
class Listener implements StreamOwner {
  readonly seen: string[] = [];
  stream!: SocketStream;
  text = '';
  #waiting: (() => void)[] = [];

  onBytes(bytes: Buffer, end: number): void {
    this.text += bytes.toString('latin1', 0, end);
    this.#note(`read`);
  }

  onEnd(): void {
    this.#note('end');
  }

  onWritable(): void {
    this.#note('writable');
  }

  onConnect(): void {
    this.#note('connect');
  }

  onClosed(code: string): void {
    this.#note(`closed ${code}`);
  }

  onFault(error: unknown): void {
    throw error;
  }

  async until(kind: string): Promise<void> {
    while (!this.seen.some((each) => each.startsWith(kind)))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #note(what: string): void {
    this.seen.push(what);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function listening(context: TestContext, system: System, address: string | undefined) {
  const accepted: Listener[] = [];
  let arrived: () => void = () => {};
  const socket = new ListenSocket(
    system,
    { port: 0, address, reusePort: true },
    (stream) => {
      const listener = new Listener();
      listener.stream = stream;
      stream.owner = listener;
      accepted.push(listener);
      arrived();
    },
    (error) => assert.fail(String(error)),
  );
  const port = await socket.open();
  socket.activate();
  context.after(() => {
    socket.close();
    for (const { stream } of accepted) stream.destroy();
  });
  const next = async (count: number): Promise<Listener> => {
    while (accepted.length < count)
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    return accepted[count - 1]!;
  };
  return { socket, port, next };
}

function connecting(context: TestContext, system: System, address: string, port: number): Listener {
  const listener = new Listener();
  listener.stream = SocketStream.connecting(system, address, port, listener);
  context.after(() => listener.stream.destroy());
  return listener;
}

for (const [name, system] of SYSTEMS) {
  test(`${name}: bound to all addresses, IPv4 and IPv6 are taken, and an IPv4 address is shown as such`, async (context) => {
    const { port, next } = await listening(context, system, undefined);
    const addresses = hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
    for (const [index, address] of addresses.entries()) {
      const client = connecting(context, system, address, port);
      await client.until('connect');
      const server = await next(index + 1);
      assert.equal(server.stream.remoteAddress, address);
      assert.equal(server.stream.localAddress, address);
      assert.equal(server.stream.localPort, port);
      assert.equal(client.stream.localPort, server.stream.remotePort);
      assert.equal(isIPv6(client.stream.remoteAddress), address === '::1');
    }
  });

  test(`${name}: a name is connected to by whichever of its addresses answers, and works as an address does`, async (context) => {
    const { port, next } = await listening(context, system, '127.0.0.1');
    const client = connecting(context, system, 'localhost', port);
    await client.until('connect');
    client.stream.write(Buffer.from('to a name'));
    const server = await next(1);
    await server.until('read');
    assert.equal(server.text, 'to a name');
    server.stream.write(Buffer.from('an answer'));
    server.stream.end();
    await client.until('end');
    assert.equal(client.text, 'an answer');
    client.stream.end();
    await client.until('closed');
    await server.until('closed');
    assert.deepEqual(client.seen.at(-1), 'closed ');
  });

  test(`${name}: a name that nobody has fails with the resolver's code`, async (context) => {
    const client = connecting(context, system, 'nobody.invalid', 80);
    await client.until('closed');
    assert.match(client.seen.join(), /^closed E(NOTFOUND|AI_AGAIN)$/);
  });

  test(`${name}: closed before the name is known, it hears of the close alone`, async (context) => {
    const { port } = await listening(context, system, '127.0.0.1');
    const client = connecting(context, system, 'localhost', port);
    client.stream.destroy();
    await client.until('closed');
    // A connection that was made after that one shows that the earlier would have been there.
    await connecting(context, system, 'localhost', port).until('connect');
    assert.deepEqual(client.seen, ['closed ']);
  });

  test(`${name}: a listener binds a name's address, and says what is wrong with one that it cannot bind`, async (context) => {
    const { port } = await listening(context, system, 'localhost');
    assert.ok(port > 0);
    const failing = (address: string) =>
      new ListenSocket(
        system,
        { port: 0, address, reusePort: false },
        () => {},
        () => {},
      ).open();
    await assert.rejects(failing('192.0.2.1'), { code: 'EADDRNOTAVAIL' });
    await assert.rejects(failing('nobody.invalid'), /nobody\.invalid/);
  });

  test(`${name}: a listener that is closed while it opens leaves the port free`, async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    await once(probe, 'close');
    const socket = new ListenSocket(
      system,
      { port, address: '127.0.0.1', reusePort: false },
      () => {},
      () => {},
    );
    const opened = socket.open();
    socket.close();
    await opened.catch(() => {});
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });
}

test('memory of a stream that is closed goes to the next that wants some', async (context) => {
  const { port, next } = await listening(context, SYSTEM, '127.0.0.1');
  const memory: ArrayBufferLike[] = [];
  const talk = async (count: number): Promise<Listener> => {
    const peer: Socket = connect(port, '127.0.0.1');
    context.after(() => peer.destroy());
    const one = await next(count);
    one.onBytes = (bytes, end) => {
      one.stream.own();
      memory.push(bytes.buffer);
      Listener.prototype.onBytes.call(one, bytes, end);
    };
    for (const text of ['shared', 'own']) {
      one.seen.length = 0;
      peer.write(text);
      await one.until('read');
    }
    return one;
  };
  const first = await talk(1);
  first.stream.destroy();
  await first.until('closed');
  await talk(2);
  const [shared, own, sharedAgain, ownAgain] = memory;
  assert.equal(shared, sharedAgain);
  assert.notEqual(shared, own);
  assert.equal(own, ownAgain);
});
