import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nginxConfiguration } from './nginx.ts';
import { freePort, installed, type Started, startOnCore } from './process.ts';
import type { Work } from './work.ts';

/** The core each proxy has to itself; load and backend share the other one. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

export interface Contender {
  readonly name: 'novaedge' | 'nginx' | 'haproxy';
  /** Null when it can be run, else why not. */
  missing(): string | null;
  start(options: StartOptions): Promise<Started & { readonly port: number }>;
}

export interface StartOptions {
  readonly directory: string;
  readonly backendPort: number;
  readonly work: Work;
}

const root = fileURLToPath(new URL('..', import.meta.url));

const novaedge: Contender = {
  name: 'novaedge',
  missing: () => null,
  async start({ directory, backendPort, work }) {
    const [port, admin] = [await freePort(), await freePort()];
    const config = join(directory, 'config');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'bench.yaml'), manifests(port, backendPort, work.routes));
    const arguments_ = [
      'standalone',
      '--config',
      config,
      '--data',
      join(directory, 'data'),
      '--bind',
      '127.0.0.1',
    ];
    arguments_.push('--workers', '1', '--admin', `127.0.0.1:${admin}`, '--log-level', 'warn');
    const started = await startOnCore(
      PROXY_CORE,
      [process.execPath, join(root, 'src/bin/novaedge.mjs'), ...arguments_],
      port,
    );
    return { ...started, port };
  },
};

const nginx: Contender = {
  name: 'nginx',
  missing: () => (installed('nginx') ? null : 'nginx is not installed (Debian: nginx-light)'),
  async start({ directory, backendPort, work }) {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const locations =
      work.routes > 1
        ? extraPrefixes(work.routes).map((prefix) => `    location ${prefix} { proxy_pass http://backend; }`)
        : [];
    writeFileSync(
      join(directory, 'nginx.conf'),
      nginxConfiguration(
        directory,
        `  upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Request-Id $request_id;
    location / { proxy_pass http://backend; }
${locations.join('\n')}
  }`,
      ),
    );
    const started = await startOnCore(
      PROXY_CORE,
      ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')],
      port,
    );
    return { ...started, port };
  },
};

const haproxy: Contender = {
  name: 'haproxy',
  missing: () => (installed('haproxy') ? null : 'haproxy is not installed (Debian: haproxy)'),
  async start({ directory, backendPort, work }) {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const map = join(directory, 'routes.map');
    writeFileSync(
      map,
      work.routes > 1
        ? extraPrefixes(work.routes)
            .map((prefix) => `${prefix} backend`)
            .join('\n')
        : '',
    );
    writeFileSync(
      join(directory, 'haproxy.cfg'),
      `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
${work.routes > 1 ? `  use_backend %[path,map_beg(${map},backend)]\n` : ''}  default_backend backend
backend backend
  server one 127.0.0.1:${backendPort}
`,
    );
    const started = await startOnCore(
      PROXY_CORE,
      ['haproxy', '-db', '-f', join(directory, 'haproxy.cfg')],
      port,
    );
    return { ...started, port };
  },
};

export const CONTENDERS: readonly Contender[] = [novaedge, nginx, haproxy];

/** Route prefixes beside the one that is asked for. */
function extraPrefixes(count: number): string[] {
  return Array.from({ length: count - 1 }, (_, index) => `/service-${index}/api/`);
}

function manifests(port: number, backendPort: number, routes: number): string {
  const api = 'apiVersion: novaedge.io/v1alpha1';
  const route = (name: string, path: string) => `---
${api}
kind: ProxyRoute
metadata: { name: ${name} }
spec:
  rules:
    - matches: [{ path: { type: PathPrefix, value: ${path} } }]
      backendRef: { name: backend }
`;
  const extra =
    routes > 1 ? extraPrefixes(routes).map((prefix, index) => route(`route-${index}`, prefix)) : [];
  return `${api}
kind: ProxyGateway
metadata: { name: bench }
spec:
  listeners: [{ name: http, port: ${port}, protocol: HTTP }]
---
${api}
kind: ProxyBackend
metadata: { name: backend }
spec:
  endpoints: [{ address: 127.0.0.1, port: ${backendPort} }]
${route('all', '/')}${extra.join('')}`;
}
