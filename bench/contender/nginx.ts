import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConfiguration } from '../nginx.ts';
import { freePort, startOnCore } from '../process.ts';
import { type Contender, coresOf, extraPrefixes, needs } from './contender.ts';

export const nginx: Contender = {
  name: 'nginx',
  missing: needs('nginx'),
  async start({ directory, backendPort, work }) {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const locations = extraPrefixes(work).map(
      (prefix) => `    location ${prefix} { proxy_pass http://backend; }`,
    );
    writeFileSync(
      join(directory, 'nginx.conf'),
      nginxConfiguration(
        directory,
        `  ${work.accessLog ? `log_format fields escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method","host":"$host","path":"$uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr","id":"$request_id"}';\n  access_log ${directory}/access.log fields buffer=64k flush=1s;` : ''}
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096${work.workers > 1 ? ' reuseport' : ''};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Request-Id $request_id;
    location / { proxy_pass http://backend; }
${locations.join('\n')}
  }`,
        { workers: work.workers, accessLog: work.accessLog },
      ),
    );
    const command = ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')];
    return { ...(await startOnCore(coresOf(work), command, port)), port };
  },
};
