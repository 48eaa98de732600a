import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startOnCore } from '../process.ts';
import { type Contender, coresOf, extraPrefixes } from './contender.ts';

const program = fileURLToPath(new URL('../../src/bin/novaedge.mjs', import.meta.url));
const API = 'apiVersion: novaedge.io/v1alpha1';

export const novaedge: Contender = {
  name: 'novaedge',
  missing: () => null,
  async start({ directory, backendPort, work }) {
    const [port, admin] = [await freePort(), await freePort()];
    const config = join(directory, 'config');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'bench.yaml'), manifests(port, backendPort, extraPrefixes(work)));
    const command = [process.execPath, program, 'standalone', '--config', config];
    command.push('--data', join(directory, 'data'), '--bind', '127.0.0.1');
    command.push('--workers', String(work.workers), '--admin', `127.0.0.1:${admin}`, '--log-level', 'warn');
    if (work.accessLog) command.push('--access-log', join(directory, 'access.log'));
    return { ...(await startOnCore(coresOf(work), command, port)), port };
  },
};

function route(name: string, path: string): string {
  return `---
${API}
kind: ProxyRoute
metadata: { name: ${name} }
spec:
  rules:
    - matches: [{ path: { type: PathPrefix, value: ${path} } }]
      backendRef: { name: backend }
`;
}

function manifests(port: number, backendPort: number, prefixes: readonly string[]): string {
  return `${API}
kind: ProxyGateway
metadata: { name: bench }
spec:
  listeners:
    - { name: http, port: ${port}, protocol: HTTP, http: { limits: { requestsPerConnection: 0 } } }
---
${API}
kind: ProxyBackend
metadata: { name: backend }
spec:
  endpoints: [{ address: 127.0.0.1, port: ${backendPort} }]
${route('all', '/')}${prefixes.map((prefix, index) => route(`route-${index}`, prefix)).join('')}`;
}
