import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Certificate } from '../../src/model/certificate.ts';
import { acceptKey } from '../../src/wire/websocket/opening-handshake.ts';
import { TestAuthority } from '../certificates.ts';
import { startProxy } from '../dataplane/harness.ts';
import { logLines } from '../dataplane/log-lines.ts';
import { startSecure } from '../dataplane/tls/harness.ts';
import { needs } from '../needs.ts';
import { DEFLATE } from './deflate.ts';
import { Endpoint } from './endpoint.ts';

/** Opens two WebSockets, with and without compression, and says what came back. */
const PAGE = `<!doctype html><script type="module">
const sizes = [0, 1, 125, 126, 65535, 65536, 300000];
async function talk(path) {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + path, ['chat', 'superchat']);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(path); });
  const echo = (data) => new Promise((resolve) => {
    socket.onmessage = ({ data: back }) => resolve(back);
    socket.send(data);
  });
  const wrong = [];
  for (const size of sizes) {
    const words = 'äöü€👍 '.repeat(size / 6 + 1).slice(0, size - (size % 2));
    if (await echo(words) !== words) wrong.push('text ' + size);
    const bytes = Uint8Array.from({ length: size }, (_, at) => at * at);
    const back = new Uint8Array(await echo(bytes));
    if (back.length !== size || back.some((byte, at) => byte !== bytes[at])) wrong.push('binary ' + size);
  }
  const closed = new Promise((resolve) => { socket.onclose = resolve; });
  const { protocol, extensions } = socket;
  socket.close(4321, 'enough');
  const { code, wasClean } = await closed;
  return { protocol, extensions, wrong, code, wasClean };
}
const result = await Promise.all(['/deflate', '/plain'].map(talk)).catch((error) => ({ error: String(error) }));
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
</script>`;

function answer(incoming: IncomingMessage, socket: Socket, head: Buffer, events: string[]): void {
  const deflates = incoming.url === '/deflate';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${acceptKey(incoming.headers['sec-websocket-key']!)}`,
      'Sec-WebSocket-Protocol: superchat',
      ...(deflates ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []),
      '\r\n',
    ].join('\r\n'),
  );
  const endpoint = new Endpoint({
    role: 'server',
    echoes: true,
    deflate: deflates ? DEFLATE : null,
    mostMessageBytes: 2_000_000,
    send: (bytes) => socket.write(bytes),
    end: () => socket.end(),
  });
  socket.on('data', (bytes: Buffer) => endpoint.receive(bytes));
  socket.on('end', () => {
    events.push(`${incoming.url}: ${endpoint.events.at(-1)}`);
    endpoint.ended();
  });
  if (head.length > 0) endpoint.receive(head);
}

for (const scheme of ['http', 'https'])
  test(
    `a browser talks through the proxy over ${scheme}, with compression and without`,
    needs('chromium'),
    async (context) => {
      const events: string[] = [];
      let told: (result: string) => void = () => {};
      const result = new Promise<string>((resolve) => {
        told = resolve;
      });
      const server = createServer(async (request, response) => {
        if (request.url === '/result') told(await text(request));
        response.writeHead(200, { 'content-type': 'text/html' }).end(request.url === '/page' ? PAGE : '');
      });
      server.on('upgrade', (incoming, socket: Socket, head: Buffer) =>
        answer(incoming, socket, head, events),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const ports = [(server.address() as AddressInfo).port];
      const profile = mkdtempSync(join(tmpdir(), 'novaedge-chromium-'));
      const accessLog = join(profile, 'access.log');
      const proxy =
        scheme === 'http'
          ? await startProxy(context, ports, { accessLog })
          : await startSecure(context, ports, { accessLog, certificates: [await someCertificate()] });
      const browser = spawn(
        'chromium',
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-background-networking',
          '--disable-component-update',
          '--no-first-run',
          '--no-proxy-server',
          '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
          `--user-data-dir=${profile}`,
          // Nobody has told it of the authority; that it looks at certificates is not what this is about.
          '--ignore-certificate-errors',
          `${scheme}://127.0.0.1:${proxy.port}/page`,
        ],
        { stdio: 'ignore', detached: true },
      );
      const gone = once(browser, 'exit');
      try {
        const early = gone.then(([code]) => `{"error":"chromium ended with ${code}"}`);
        const [deflate, plain] = JSON.parse(await Promise.race([result, early]));
        const common = { protocol: 'superchat', wrong: [], code: 4321, wasClean: true };
        assert.deepEqual(deflate, { ...common, extensions: 'permessage-deflate' });
        assert.deepEqual(plain, { ...common, extensions: '' });
        // The backend hears of the end after the browser does.
        while (events.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        assert.deepEqual(events.sort(), ['/deflate: close 4321 "enough"', '/plain: close 4321 "enough"']);
        proxy.dataplane.shutdown();
        // Over TLS it takes the connection of the page, and opens streams of it by extended CONNECT.
        const spoken = scheme === 'http' ? 'HTTP/1.1' : 'HTTP/2';
        const lines = await logLines(accessLog, 2, ({ path }) => path === '/deflate' || path === '/plain');
        for (const { protocol } of lines) assert.equal(protocol, spoken);
      } finally {
        if (browser.exitCode === null) process.kill(-browser.pid!, 'SIGKILL');
        await gone;
        server.close();
        server.closeAllConnections();
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  );

async function someCertificate(): Promise<Certificate> {
  return (await TestAuthority.create()).issue('default/www', ['127.0.0.1']);
}
