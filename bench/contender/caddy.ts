import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startOnCore } from '../process.ts';
import { type Contender, certificateOf, coresOf, extraPrefixes, needs } from './contender.ts';

export const caddy: Contender = {
  name: 'caddy',
  missing: needs('caddy'),
  cannot: () => null,
  async start(options) {
    const { directory, backendPort, work } = options;
    const certificate = certificateOf(options);
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const proxy = `reverse_proxy 127.0.0.1:${backendPort} {
      transport http {
        keepalive_idle_conns_per_host 1024
        ${work.backend === 'HTTP2' ? 'versions h2c 2' : ''}
        compression off
      }
    }`;
    const handlers = extraPrefixes(work).map((prefix) => `  handle ${prefix}* {\n    ${proxy}\n  }`);
    writeFileSync(
      join(directory, 'Caddyfile'),
      `{
  admin off
  auto_https off
  servers {
    protocols ${certificate === null && work.client === 'HTTP2' ? 'h1 h2c' : 'h1 h2'}
  }
}
${certificate === null ? 'http' : 'https'}://:${port} {
  bind 127.0.0.1
  ${certificate === null ? '' : `tls ${certificate.path} ${certificate.path}`}
  ${work.accessLog ? `log {\n    output file ${directory}/access.log\n  }` : ''}
${handlers.join('\n')}
  handle {
    ${proxy}
  }
}
`,
    );
    const home = join(directory, 'home');
    const command = ['env', `GOMAXPROCS=${work.workers}`, `HOME=${home}`, `XDG_DATA_HOME=${home}`];
    command.push('caddy', 'run', '--adapter', 'caddyfile', '--config', join(directory, 'Caddyfile'));
    return { ...(await startOnCore(coresOf(work), command, port, 60)), port };
  },
};
