import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConfiguration } from '../nginx.ts';
import { freePort, startOnCore } from '../process.ts';
import type { Work } from '../work/work.ts';
import {
  type Contender,
  certificateOf,
  coresOf,
  extraPrefixes,
  needs,
  type StartOptions,
} from './contender.ts';

export const nginx: Contender = {
  name: 'nginx',
  missing: needs('nginx'),
  cannot: ({ backend, content }) =>
    backend === 'HTTP2' && content !== 'gRPC' ? 'it speaks HTTP/2 to backends only for gRPC' : null,
  async start(options) {
    const { directory, work } = options;
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, 'nginx.conf'),
      nginxConfiguration(directory, proxy(options, port), {
        workers: work.workers,
        accessLog: work.accessLog,
      }),
    );
    const command = ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')];
    return { ...(await startOnCore(coresOf(work), command, port)), port };
  },
};

function proxy(options: StartOptions, port: number): string {
  const { directory, backendPort, work } = options;
  const certificate = certificateOf(options);
  const listen = [`127.0.0.1:${port}`, 'backlog=4096'];
  if (certificate !== null) listen.push('ssl');
  // For clear text HTTP/1.1 does not run on the same port in this version of it.
  if (certificate !== null || work.client === 'HTTP2') listen.push('http2');
  if (work.workers > 1) listen.push('reuseport');
  const pass = work.content === 'gRPC' ? 'grpc_pass grpc://backend' : 'proxy_pass http://backend';
  const locations = extraPrefixes(work).map((prefix) => `    location ${prefix} { ${pass}; }`);
  return `  ${work.accessLog ? accessLog(directory) : ''}
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen ${listen.join(' ')};
${certificate === null ? '' : `    ssl_certificate ${certificate.path};\n    ssl_certificate_key ${certificate.path};\n    ssl_protocols TLSv1.2 TLSv1.3;\n`}${headers(work)}
    client_max_body_size 0;
    proxy_max_temp_file_size 0;
    location / { ${pass}; }
${locations.join('\n')}
  }`;
}

function headers({ content }: Work): string {
  const module = content === 'gRPC' ? 'grpc' : 'proxy';
  const fields = ['Host $host', 'X-Forwarded-For $remote_addr', 'X-Forwarded-Proto $scheme'];
  fields.push('X-Request-Id $request_id');
  if (content === 'WebSocket') fields.push('Upgrade $http_upgrade', 'Connection upgrade');
  if (content === 'HTTP') fields.push('Connection ""');
  const lines = fields.map((field) => `    ${module}_set_header ${field};`);
  return [module === 'proxy' ? '    proxy_http_version 1.1;' : '', ...lines].join('\n');
}

function accessLog(directory: string): string {
  return `log_format fields escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method","host":"$host","path":"$uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr","id":"$request_id"}';\n  access_log ${directory}/access.log fields buffer=64k flush=1s;`;
}
