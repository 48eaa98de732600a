import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServerCertificate } from '../certificate.ts';
import { freePort, startOnCore } from '../process.ts';
import { type Contender, certificateOf, coresOf, extraPrefixes, type StartOptions } from './contender.ts';

const program = fileURLToPath(new URL('../../src/bin/novaedge.mjs', import.meta.url));
const API = 'apiVersion: novaedge.io/v1alpha1';
const START_SECONDS = 10;

export const novaedge: Contender = {
  name: 'novaedge',
  missing: () => null,
  cannot: () => null,
  async start(options) {
    const { directory, work } = options;
    const [port, admin] = [await freePort(), await freePort()];
    const config = join(directory, 'config');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'bench.yaml'), manifests(options, port));
    const command = [process.execPath, program, 'standalone', '--config', config];
    command.push('--data', join(directory, 'data'), '--bind', '127.0.0.1');
    command.push('--workers', String(work.workers), '--admin', `127.0.0.1:${admin}`, '--log-level', 'warn');
    if (work.accessLog) command.push('--access-log', join(directory, 'access.log'));
    try {
      return { ...(await startOnCore(coresOf(work), command, port, START_SECONDS)), port };
    } catch (error) {
      throw refusal(error) ?? error;
    }
  },
};

/** Where it has said what is wrong with the configuration, that is why it does not listen. */
function refusal(error: unknown): Error | null {
  const problem = /"problem":\{"severity":"error".*?"message":("(?:[^"\\]|\\.)*")/.exec(String(error));
  return problem === null ? null : new Error(`the configuration is refused: ${JSON.parse(problem[1]!)}`);
}

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

function manifests(options: StartOptions, port: number): string {
  const { backendPort, work } = options;
  const certificate = certificateOf(options);
  const protocol = certificate === null ? 'HTTP' : 'HTTPS, tls: { secretRef: { name: bench-tls } }';
  return `${API}
kind: ProxyGateway
metadata: { name: bench }
spec:
  listeners:
    - { name: front, port: ${port}, protocol: ${protocol}, http: { limits: { requestsPerConnection: 0 } } }
---
${API}
kind: ProxyBackend
metadata: { name: backend }
spec:
${work.backend === 'HTTP2' ? '  protocol: HTTP2\n' : ''}  endpoints: [{ address: 127.0.0.1, port: ${backendPort} }]
${work.content === 'WebSocket' ? '  circuitBreaker: { maxConnections: 20000 }\n' : ''}${certificate === null ? '' : secret(certificate)}${route('all', '/')}${extraPrefixes(
  work,
)
  .map((prefix, index) => route(`route-${index}`, prefix))
  .join('')}`;
}

function secret({ certificate, key }: ServerCertificate): string {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  return `---
apiVersion: v1
kind: Secret
metadata: { name: bench-tls }
type: kubernetes.io/tls
data: { tls.crt: ${base64(certificate)}, tls.key: ${base64(key)} }
`;
}
