import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import {
  type handleBidiStreamingCall,
  logVerbosity,
  Server,
  type ServerCredentials,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { configStreamService } from '../wire/snapshot/schema.ts';
import {
  AGENT_MESSAGE_LIMIT,
  CONTROLLER_MESSAGE_LIMIT,
  STREAM_OPTIONS,
} from '../wire/snapshot/stream-options.ts';

export interface Listening {
  /** `HOST:PORT` with the port that was bound, or `unix:/path`. */
  readonly address: string;
  /** No new connections; those that are open get `graceMs` to end, then they are cut. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves the ConfigStream with raw frames.
 * @throws Error naming the address and why it cannot be bound.
 */
export async function listen(
  address: string,
  credentials: ServerCredentials,
  connected: handleBidiStreamingCall<Buffer, Uint8Array>,
): Promise<Listening> {
  // It writes to the console what its errors say too.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    ...STREAM_OPTIONS,
    'grpc.max_receive_message_length': AGENT_MESSAGE_LIMIT,
    'grpc.max_send_message_length': CONTROLLER_MESSAGE_LIMIT,
  });
  server.addService(
    {
      Connect: {
        ...configStreamService.Connect!,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (frame: Uint8Array) =>
          Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength),
      },
    },
    { Connect: connected },
  );
  const path = address.startsWith('unix:') ? address.slice('unix:'.length) : undefined;
  if (path !== undefined) await removeStaleSocket(path);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
  // Who may write to the socket may pose as an agent.
  if (path !== undefined) await chmod(path, 0o600);
  return {
    address: path === undefined ? `${address.slice(0, address.lastIndexOf(':'))}:${port}` : address,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          server.forceShutdown();
          // tryShutdown does not come back where a client spoke TLS to a plaintext server (grpc-js 1.14).
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

/** A socket file that a killed process left behind; one that somebody answers on stays. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return;
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (refused) await unlink(path);
}
