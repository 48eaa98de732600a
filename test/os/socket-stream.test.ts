import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ListenSocket } from '../../src/os/listen-socket.ts';
import type { SocketStream, StreamOwner } from '../../src/os/socket-stream.ts';
import { SYSTEM } from '../../src/os/system.ts';

/** An accepted connection and the peer that it is with. */
class Accepted implements StreamOwner {
  readonly stream: SocketStream;
  readonly reads: Buffer[] = [];
  /** What to do with the next read. */
  onRead: (bytes: Buffer, end: number) => void = () => {};
  #heard: () => void = () => {};

  constructor(stream: SocketStream) {
    this.stream = stream;
    stream.owner = this;
  }

  /** Resolves when a read of what the peer has been made to send has been worked off. */
  async read(peer: Socket, text: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = resolve;
    });
    peer.write(text);
    await heard;
  }

  onBytes(bytes: Buffer, end: number): void {
    this.onRead(bytes, end);
    this.#heard();
  }

  onEnd(): void {}
  onWritable(): void {}
  onConnect(): void {}
  onClosed(): void {}
  onFault(error: unknown): void {
    throw error;
  }
}

async function accept(context: TestContext): Promise<{ accepted: Accepted; peer: Socket }> {
  let take: (stream: SocketStream) => void = () => {};
  const taken = new Promise<SocketStream>((resolve) => {
    take = resolve;
  });
  const socket = new ListenSocket(
    SYSTEM,
    { port: 0, address: '127.0.0.1', reusePort: false },
    (stream) => {
      accepted = new Accepted(stream);
      take(stream);
    },
    (error) => assert.fail(String(error)),
  );
  let accepted: Accepted | null = null;
  const port = await socket.open();
  socket.activate();
  const peer = connect({ port, host: '127.0.0.1', noDelay: true });
  context.after(() => {
    peer.destroy();
    accepted?.stream.destroy();
    socket.close();
  });
  await taken;
  return { accepted: accepted!, peer };
}

test('memory that a stream no longer wants is nobody else’s before the runtime has left it', async (context) => {
  const { accepted: one, peer: peerOfOne } = await accept(context);
  const { accepted: other, peer: peerOfOther } = await accept(context);
  one.onRead = () => one.stream.own();
  await one.read(peerOfOne, 'from now on the runtime reads into memory of this stream');
  one.stream.share();

  let kept: Buffer = Buffer.alloc(0);
  other.onRead = () => other.stream.own();
  await other.read(peerOfOther, 'this one wants memory of its own');
  other.onRead = (bytes, end) => {
    kept = other.stream.lasting(bytes, 0, end);
    other.stream.give(bytes);
  };
  await other.read(peerOfOther, 'kept for a write that waits');
  assert.equal(kept.toString(), 'kept for a write that waits');
  await one.read(peerOfOne, 'X'.repeat(100));
  assert.equal(kept.toString(), 'kept for a write that waits');
});

test('memory goes round: what is free is used again, and what a write keeps is not', async (context) => {
  const { accepted, peer } = await accept(context);
  const memory: ArrayBufferLike[] = [];
  accepted.onRead = (bytes) => {
    accepted.stream.own();
    memory.push(bytes.buffer);
  };
  for (const text of ['shared', 'own', 'own again']) await accepted.read(peer, text);
  assert.notEqual(memory[0], memory[1]);
  assert.equal(memory[1], memory[2]);
  accepted.onRead = (bytes) => {
    memory.push(bytes.buffer);
    accepted.stream.give(bytes);
  };
  await accepted.read(peer, 'kept');
  accepted.onRead = (bytes) => {
    memory.push(bytes.buffer);
    accepted.stream.share();
  };
  await accepted.read(peer, 'elsewhere');
  assert.equal(memory[3], memory[1]);
  assert.notEqual(memory[4], memory[3]);
  accepted.onRead = (bytes) => {
    memory.push(bytes.buffer);
    accepted.stream.own();
  };
  await accepted.read(peer, 'shared again');
  await accepted.read(peer, 'own');
  assert.equal(memory[5], memory[0]);
  assert.equal(memory[6], memory[4], 'the memory that was left');
});
