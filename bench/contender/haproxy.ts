import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startOnCore } from '../process.ts';
import {
  type Contender,
  certificateOf,
  coresOf,
  extraPrefixes,
  needs,
  type StartOptions,
} from './contender.ts';

export const haproxy: Contender = {
  name: 'haproxy',
  missing: needs('haproxy'),
  cannot: () => null,
  async start(options) {
    const { directory, backendPort, work } = options;
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const map = join(directory, 'routes.map');
    const prefixes = extraPrefixes(work);
    writeFileSync(map, prefixes.map((prefix) => `${prefix} backend`).join('\n'));
    writeFileSync(
      join(directory, 'haproxy.cfg'),
      `global
  nbthread ${work.workers}
  maxconn 12000
  # Idle connections need one descriptor each, not the two that it reckons with.
  no strict-limits
  ${work.accessLog ? 'log stdout format raw local0' : ''}
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
  ${work.accessLog ? 'log global\n  option httplog' : ''}
frontend front
  bind 127.0.0.1:${port}${bindOptions(options)}
  unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto ${work.tls === null ? 'http' : 'https'}
${prefixes.length > 0 ? `  use_backend %[path,map_beg(${map},backend)]\n` : ''}  default_backend backend
backend backend
  server one 127.0.0.1:${backendPort}${work.backend === 'HTTP2' ? ' proto h2' : ''}
`,
    );
    const command = ['haproxy', '-db', '-f', join(directory, 'haproxy.cfg')];
    return { ...(await startOnCore(coresOf(work), command, port)), port };
  },
};

function bindOptions(options: StartOptions): string {
  const certificate = certificateOf(options);
  if (certificate !== null) return ` ssl crt ${certificate.path} alpn h2,http/1.1`;
  return options.work.client === 'HTTP2' ? ' proto h2' : '';
}
