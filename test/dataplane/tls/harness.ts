import type { TestContext } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Listener } from '../../../src/model/gateway.ts';
import type { Resource } from '../../../src/model/resource.ts';
import type { ListenerTls } from '../../../src/model/tls.ts';
import { LISTENER_TLS_DEFAULTS } from '../../../src/model/tls.ts';
import type { Harness, HarnessOptions } from '../harness.ts';
import { startProxy } from '../harness.ts';

export function listenerTls(
  certificates: readonly Certificate[],
  overrides: Partial<ListenerTls> = {},
): ListenerTls {
  return { ...LISTENER_TLS_DEFAULTS, certificates: certificates.map(({ name }) => name), ...overrides };
}

export function certificateResources(certificates: readonly Certificate[]): Resource[] {
  return certificates.map((value) => ({ kind: 'certificate', value }));
}

export interface SecureOptions extends Omit<HarnessOptions, 'resources'> {
  readonly certificates: readonly Certificate[];
  readonly tls?: Partial<ListenerTls>;
  readonly more?: readonly Resource[];
}

/** A proxy whose one listener ends TLS. */
export function startSecure(
  context: TestContext,
  ports: readonly number[],
  { certificates, tls, more = [], listener, ...options }: SecureOptions,
): Promise<Harness> {
  const secured: Partial<Listener> = { protocol: 'HTTPS', tls: listenerTls(certificates, tls), ...listener };
  return startProxy(context, ports, {
    ...options,
    listener: secured,
    more: [...certificateResources(certificates), ...more],
  });
}

export interface Shaken {
  readonly socket: TLSSocket;
  /** `tls`'s code or the alert's text; empty: the handshake was done. */
  readonly failure: string;
}

/** Shakes hands as a client that believes everybody, if nothing else is said. */
export function shake(port: number, options: ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    socket.once('secureConnect', () => resolve({ socket, failure: '' }));
    socket.once('close', () => resolve({ socket, failure: 'closed' }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ socket, failure: `${error.code ?? ''} ${error.message}` }),
    );
  });
}

/** All that comes until the end, after `request` was sent. */
export function exchange(socket: TLSSocket, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
    socket.write(request);
  });
}

/** One request on a connection of its own. */
export async function get(
  port: number,
  options: ConnectionOptions = {},
  host = 'localhost',
): Promise<string> {
  const { socket, failure } = await shake(port, options);
  if (failure !== '') throw new Error(failure);
  return exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}
