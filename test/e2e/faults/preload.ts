import { openSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, parentPort, threadName } from 'node:worker_threads';
import { SocketStream } from '../../../src/os/socket-stream.ts';
import type { FaultEvent, FaultKind, FaultReply, FaultRequest } from './protocol.ts';

/**
 * Loaded into a NovaEdge process by `NODE_OPTIONS=--import=…`, on its main thread and on every other one, before its
 * own code: so that threads can be made to fail though NovaEdge has no way to ask for it. The main thread takes
 * requests on a Unix socket and passes them on; threads know which worker they are from the message that says so.
 */
const directory = process.env.FAULTS_DIRECTORY;

interface Said<Message> {
  readonly data: Message;
}

const wall = () => performance.timeOrigin + performance.now();

/** Whether the file was there; it is gone then, so that one thread alone acts on it. */
function taken(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * When a thread took on that fault, and whether it is this one. It is asked for again and again until somebody has
 * answered: what comes late must not make the successor fail as well.
 */
function claim(path: string): { readonly at: number; readonly isOurs: boolean } {
  const at = wall();
  try {
    writeFileSync(path, String(at), { flag: 'wx' });
    return { at, isOurs: true };
  } catch {
    return { at: Number(readFileSync(path, 'utf8')), isOurs: false };
  }
}

function forever(): never {
  for (;;);
}

function runMain(path: string): void {
  const channel = new BroadcastChannel('faults');
  const connections = new Set<Socket>();
  const tell = (message: FaultReply | FaultEvent) => {
    for (const connection of connections) connection.write(`${JSON.stringify(message)}\n`);
  };
  channel.onmessage = (message) => tell((message as unknown as Said<FaultReply | FaultEvent>).data);
  channel.unref();
  const server = net.createServer((connection) => {
    connections.add(connection);
    connection.unref();
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
    let text = '';
    connection.on('data', (bytes) => {
      text += bytes.toString();
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const request = JSON.parse(text.slice(0, end)) as FaultRequest;
        text = text.slice(end + 1);
        if (request.do === 'heap') tell({ id: request.id, at: wall(), heapBytes: heapBytes() });
        else channel.postMessage(request);
      }
    });
  });
  // A process that this one starts finds the socket taken.
  server.on('error', () => {});
  rmSync(path, { force: true });
  server.listen(path);
  server.unref();
}

/** After everything that can be collected has been. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function runThread(path: string): void {
  if (taken(join(path, 'hang-before-role'))) forever();
  const port = parentPort!;
  const channel = new BroadcastChannel('faults');
  channel.unref();
  /** When it took connections from each client's port. */
  const accepted = new Map<number, number[]>();
  let worker = -1;

  const once = port.once.bind(port) as (name: string, listener: (message: unknown) => void) => typeof port;
  port.once = ((name: string, listener: (message: unknown) => void) =>
    once(name, (message) => {
      const role = message as { readonly type?: string; readonly settings?: { readonly worker: number } };
      if (role?.type === 'role') {
        worker = role.settings!.worker;
        channel.postMessage({ event: 'role', worker, at: wall() } satisfies FaultEvent);
        if (taken(join(path, 'hang-after-role'))) forever();
      }
      listener(message);
    })) as typeof port.once;

  const { accepted: accept } = SocketStream;
  SocketStream.accepted = (handle) => {
    const stream = accept.call(SocketStream, handle);
    const port = stream.remotePort;
    if (worker === -1 || port === 0) return stream;
    if (accepted.size === 0)
      channel.postMessage({ event: 'accepted', worker, at: wall() } satisfies FaultEvent);
    const times = accepted.get(port);
    if (times === undefined) accepted.set(port, [wall()]);
    else times.push(wall());
    return stream;
  };

  channel.onmessage = (message) => {
    const request = (message as unknown as Said<FaultRequest | FaultReply>).data;
    if (!('do' in request) || request.do === 'heap' || request.worker !== worker) return;
    const asked = request.do === 'accepted' ? request.connections : [];
    const ports = asked
      .filter(({ port, openedAt, closedAt }) =>
        accepted.get(port)?.some((at) => at >= openedAt && at <= closedAt),
      )
      .map(({ port }) => port);
    const { at, isOurs } =
      request.do === 'fault' ? claim(join(path, `fault-${request.id}`)) : { at: wall(), isOurs: false };
    channel.postMessage({ id: request.id, at, ports } satisfies FaultReply);
    // What it has said is to be out before it fails.
    if (request.do === 'fault' && isOurs) setTimeout(() => fail(request.fault, path), 5);
  };
}

function fail(kind: FaultKind, path: string): void {
  switch (kind) {
    case 'throw':
      throw new Error('injected exception');
    case 'reject':
      void Promise.reject(new Error('injected rejection'));
      return;
    case 'exit':
      process.exit(7);
      break;
    case 'loop':
      forever();
      break;
    case 'memory': {
      const kept: { readonly index: number }[] = [];
      for (;;) kept.push({ index: kept.length });
    }
    case 'wait':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case 'read':
      // Nobody writes to it: the system call does not return.
      openSync(join(path, 'pipe'), 'r');
  }
}

if (directory !== undefined) {
  if (isMainThread) runMain(join(directory, 'control'));
  else if (threadName?.startsWith('dataplane')) runThread(directory);
}
