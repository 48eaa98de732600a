import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { FLAG, FRAME } from '../../src/wire/h2/frame.ts';
import type { Frame } from '../wire/h2/frames.ts';
import { frame, framesOf, PREFACE } from '../wire/h2/frames.ts';

/** A backend of HTTP/2 that says what a test tells it to, right or wrong. */
export interface ScriptedBackend {
  readonly port: number;
  readonly sockets: Socket[];
  /** Frames that have come, over all connections. */
  readonly frames: Frame[];
}

export interface Script {
  /** Instead of an empty SETTINGS frame. */
  readonly greeting?: Buffer;
  /** A frame has come. */
  readonly onFrame: (received: Frame, socket: Socket) => void;
}

export const isRequest = ({ type }: Frame): boolean => type === FRAME.HEADERS;

export async function scriptedBackend(context: TestContext, script: Script): Promise<ScriptedBackend> {
  const sockets: Socket[] = [];
  const frames: Frame[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    let bytes = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('error', () => {});
    socket.write(script.greeting ?? frame(FRAME.SETTINGS, 0, 0));
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      if (!isGreeted) {
        if (bytes.length < PREFACE.length) return;
        isGreeted = true;
        bytes = bytes.subarray(PREFACE.length);
      }
      for (const received of framesOf(bytes)) {
        bytes = bytes.subarray(9 + received.payload.length);
        frames.push(received);
        if (received.type === FRAME.SETTINGS && (received.flags & FLAG.ACK) === 0)
          socket.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
        script.onFrame(received, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets, frames };
}
