import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nginxConfiguration } from './nginx.ts';
import { freePort, startOnCore } from './process.ts';
import type { Work } from './work/work.ts';

const FILES = {
  '10k': 10_240,
  '100k': 102_400,
  '1m': 1_048_576,
  '100m': 104_857_600,
  'chunked.html': 10_240,
};
const peer = fileURLToPath(new URL('./peer.ts', import.meta.url));

export interface Backends {
  /** Where what a work needs is served. */
  portOf(work: Pick<Work, 'backend' | 'content'>): number;
  stop(): Promise<void>;
}

/**
 * The backends every proxy gets, on the core of the load: one nginx worker that answers from memory by HTTP/1.1 and
 * HTTP/2, and a process of ours that sends messages of gRPC and WebSocket back.
 */
export async function startBackends(core: number, directory: string): Promise<Backends> {
  const [http1, http2, grpc, websocket] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of Object.entries(FILES))
    writeFileSync(join(directory, name), Buffer.alloc(bytes, 'x'));
  writeFileSync(
    join(directory, 'nginx.conf'),
    nginxConfiguration(
      directory,
      `  client_body_buffer_size 64k;
  sendfile on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${http1} backlog=4096;
    listen 127.0.0.1:${http2} http2 backlog=4096;
    root ${directory};
    location / { return 200 "Hello, world!"; }
    location = /chunked.html { ssi on; }
${Object.keys(FILES)
  .filter((name) => name !== 'chunked.html')
  .map((name) => `    location = /${name} { }`)
  .join('\n')}
    location /short/ { keepalive_requests 50; return 200 "Hello, world!"; }
  }`,
      { workers: 1, accessLog: false },
    ),
  );
  await using started = new AsyncDisposableStack();
  const begin = async (command: readonly string[], port: number) => {
    const { stop } = await startOnCore(core, command, port);
    started.defer(stop);
  };
  await begin(['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')], http1);
  await begin([process.execPath, peer, 'backends', String(grpc), String(websocket)], websocket);
  const running = started.move();
  return {
    portOf({ backend, content }) {
      if (content === 'gRPC') return grpc;
      if (content === 'WebSocket') return websocket;
      return backend === 'HTTP2' ? http2 : http1;
    },
    stop: () => running.disposeAsync(),
  };
}
