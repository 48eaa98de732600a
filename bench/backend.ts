import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConfiguration } from './nginx.ts';
import { freePort, type Started, startOnCore } from './process.ts';

/** The backend every proxy gets: one nginx worker that answers from memory, on the core of the load. */
export async function startBackend(
  core: number,
  directory: string,
): Promise<Started & { readonly port: number }> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '100k'), Buffer.alloc(102_400, 'x'));
  writeFileSync(
    join(directory, 'nginx.conf'),
    nginxConfiguration(
      directory,
      `  client_body_buffer_size 64k;
  sendfile on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${directory};
    location / { return 200 "Hello, world!"; }
    location = /100k { }
    location /short/ { keepalive_requests 50; return 200 "Hello, world!"; }
  }`,
    ),
  );
  const started = await startOnCore(
    core,
    ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')],
    port,
  );
  return { ...started, port };
}
