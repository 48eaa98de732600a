import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startOnCore } from '../process.ts';
import { type Contender, coresOf, extraPrefixes, needs } from './contender.ts';

export const haproxy: Contender = {
  name: 'haproxy',
  missing: needs('haproxy'),
  async start({ directory, backendPort, work }) {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const map = join(directory, 'routes.map');
    const prefixes = extraPrefixes(work);
    writeFileSync(map, prefixes.map((prefix) => `${prefix} backend`).join('\n'));
    writeFileSync(
      join(directory, 'haproxy.cfg'),
      `global
  nbthread ${work.workers}
  maxconn 9500
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
  bind 127.0.0.1:${port}
  unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
${prefixes.length > 0 ? `  use_backend %[path,map_beg(${map},backend)]\n` : ''}  default_backend backend
backend backend
  server one 127.0.0.1:${backendPort}
`,
    );
    const command = ['haproxy', '-db', '-f', join(directory, 'haproxy.cfg')];
    return { ...(await startOnCore(coresOf(work), command, port)), port };
  },
};
