import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConfiguration } from './nginx.ts';
import { freePort, type Started, startOnCore } from './process.ts';

const FILES = { '10k': 10_240, '100k': 102_400, '1m': 1_048_576, 'chunked.html': 10_240 };

/** The backend every proxy gets: one nginx worker that answers from memory, on the core of the load. */
export async function startBackend(
  core: number,
  directory: string,
): Promise<Started & { readonly port: number }> {
  const port = await freePort();
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
    listen 127.0.0.1:${port} backlog=4096;
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
  const started = await startOnCore(
    core,
    ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')],
    port,
  );
  return { ...started, port };
}
