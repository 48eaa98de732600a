import { lookup } from 'node:dns/promises';
import type { NetConnectOpts } from 'node:net';
import { isIP, Socket } from 'node:net';
import type { SocketAddress, StreamHandle } from './stream-handle.ts';
import { hasStreamBinding, runtimeBinding } from './stream-handle.ts';
import type { BindOptions, ConnectAttempt, ConnectOwner, Listening } from './system.ts';
import { errorCode, systemError } from './system-error.ts';

/** What libuv and its binding offer of a TCP socket, besides the stream that it is. */
interface TcpHandle extends StreamHandle {
  onconnection: (error: number, handle: TcpHandle) => void;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  listen(backlog: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  setNoDelay(on: boolean): number;
}

interface ConnectRequest {
  oncomplete: (this: ConnectRequest, status: number, handle: TcpHandle) => void;
  owner: ConnectOwner;
}

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: {
    readonly SOCKET: number;
    readonly SERVER: number;
    readonly UV_TCP_REUSEPORT: number;
  };
}

function load(): TcpBinding | null {
  if (!hasStreamBinding) return null;
  const binding = runtimeBinding<TcpBinding>('tcp_wrap');
  const usable =
    typeof binding?.TCP === 'function' &&
    typeof binding.TCPConnectWrap === 'function' &&
    typeof binding.TCP.prototype.useUserBuffer === 'function' &&
    typeof binding.constants?.UV_TCP_REUSEPORT === 'number';
  return usable ? (binding as TcpBinding) : null;
}

const binding = load();
export const hasTcpHandles = binding !== null;
/** Linux and the BSDs hand TCP_NODELAY of a listening socket on to what it accepts, so it need not be set again. */
const NO_DELAY_IS_INHERITED = process.platform !== 'win32';

function ignore(): void {}

function connected(this: ConnectRequest, status: number, handle: TcpHandle): void {
  if (status === 0) this.owner.onConnected(handle);
  else this.owner.onConnectFailed(errorCode(status));
}

/** `System.connect` by the runtime's handles. An attempt that was closed ends with a failure, which owners ignore. */
export function connectTcp(address: string, port: number, owner: ConnectOwner): ConnectAttempt {
  const family = isIP(address);
  if (family === 0) return connectByName(address, port, owner);
  const handle = new binding!.TCP(binding!.constants.SOCKET);
  handle.setNoDelay(true);
  const request = new binding!.TCPConnectWrap();
  request.oncomplete = connected;
  request.owner = owner;
  const error =
    family === 4 ? handle.connect(request, address, port) : handle.connect6(request, address, port);
  if (error !== 0) setImmediate(() => owner.onConnectFailed(errorCode(error)));
  return handle;
}

/** Several addresses can belong to a name; `net` tries them as RFC 8305 says, and the handle is taken from it. */
function connectByName(name: string, port: number, owner: ConnectOwner): ConnectAttempt {
  const socket = new Socket({ allowHalfOpen: true }) as Socket & { _handle: StreamHandle | null };
  const failed = (error: NodeJS.ErrnoException) => owner.onConnectFailed(error.code ?? 'UNKNOWN');
  socket.once('error', failed);
  socket.once('connect', () => {
    const handle = socket._handle!;
    socket._handle = null;
    socket.removeListener('error', failed).on('error', ignore);
    owner.onConnected(handle);
  });
  socket.connect({ host: name, port, noDelay: true } as NetConnectOpts);
  return {
    close(closed) {
      socket.destroy();
      setImmediate(closed);
    },
  };
}

/** `System.listen` by the runtime's handles. */
export async function listenTcp(
  options: BindOptions,
  take: (handle: StreamHandle) => void,
): Promise<Listening> {
  const { address, port, backlog } = options;
  const ip = address === undefined || isIP(address) !== 0 ? address : (await lookup(address)).address;
  const handle = bind(ip, options);
  if (NO_DELAY_IS_INHERITED) handle.setNoDelay(true);
  handle.onconnection = (error, connection) => {
    if (error !== 0) return;
    if (!NO_DELAY_IS_INHERITED) connection.setNoDelay(true);
    take(connection);
  };
  const bound: SocketAddress = { address: '', family: '', port: 0 };
  // libuv keeps back that an address is in use until somebody asks.
  const error = handle.listen(backlog) || handle.getsockname(bound);
  if (error !== 0) {
    handle.close(ignore);
    throw systemError(error, 'listen', place(ip, port));
  }
  return {
    port: bound.port,
    limit: (most) => void handle.listen(most),
    close: () => handle.close(ignore),
  };
}

/** @throws the system's error */
function bind(address: string | undefined, { port, reusePort }: BindOptions): TcpHandle {
  const { TCP, constants } = binding!;
  const flags = reusePort ? constants.UV_TCP_REUSEPORT : 0;
  const attempt = (one: string): TcpHandle | number => {
    const handle = new TCP(constants.SERVER);
    const error = isIP(one) === 6 ? handle.bind6(one, port, flags) : handle.bind(one, port, flags);
    if (error === 0) return handle;
    handle.close(ignore);
    return error;
  };
  let result = attempt(address ?? '::');
  // A machine may have no IPv6.
  if (typeof result === 'number' && address === undefined) result = attempt('0.0.0.0');
  if (typeof result === 'number') throw systemError(result, 'bind', place(address, port));
  return result;
}

function place(address: string | undefined, port: number): string {
  if (address === undefined) return `all addresses, port ${port}`;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
