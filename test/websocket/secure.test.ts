import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Agent, WebSocket } from 'undici';
import { CLUSTER_TLS_DEFAULTS } from '../../src/model/tls.ts';
import { TestAuthority } from '../certificates.ts';
import { cluster } from '../dataplane/harness.ts';
import { startSecure } from '../dataplane/tls/harness.ts';
import { putOn, takeOff } from '../tls-adapters.ts';
import type { Case } from './case.ts';
import { FRAMING } from './cases/framing.ts';
import { connections, converse } from './conversation.ts';
import { Endpoint } from './endpoint.ts';
import { CLIENTS, SERVERS } from './paths.ts';

const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
const ALPN = { 'HTTP/1.1': 'http/1.1', 'HTTP/2': 'h2' };

for (const client of PROTOCOLS)
  for (const server of PROTOCOLS)
    test(`with TLS on both sides, ${client} to ${server}: the cases are as they are without`, async (context) => {
      const authority = await TestAuthority.create();
      const [front, back] = [
        await authority.issue('default/front', ['chat.example']),
        await authority.issue('back', ['backend.test']),
      ];
      const serverSide = await SERVERS[server](context);
      const shown = { cert: back.chain, key: back.privateKey, ALPNProtocols: [ALPN[server]] };
      const tls = { ...CLUSTER_TLS_DEFAULTS, ca: authority.pem, serverName: 'backend.test' };
      const proxy = await startSecure(context, [await takeOff(context, serverSide.port, shown)], {
        certificates: [front],
        more: [{ kind: 'cluster', value: cluster({ protocol: 'Auto', tls }) }],
      });
      const asked = { servername: 'chat.example', ca: authority.pem, ALPNProtocols: [ALPN[client]] };
      const way = {
        take: serverSide.take,
        open: await CLIENTS[client](context, await putOn(context, proxy.port, asked)),
      };
      for (const from of ['client', 'server'] as const) {
        const rows = FRAMING.filter((row) => row.from === null || row.from === from);
        for (const group of connections(rows)) {
          const seen = await converse(way, from, group);
          for (const [index, row] of (group as readonly Case[]).entries()) {
            const wanted = row.ends === 'no' ? row.answers : [...row.answers, 'ends'];
            assert.deepEqual(
              seen.answers[index] ?? wanted,
              wanted,
              `${row.id} from the ${from}: ${row.what}`,
            );
          }
          assert.ok(seen.endpointGot.equals(seen.testerSent));
          assert.ok(seen.testerGot.equals(seen.endpointSent));
        }
      }
      assert.equal(proxy.count('tls_handshake_failures'), 0);
    });

test('a client of undici with our authority opens a wss: URL, and another one does not', async (context) => {
  const authority = await TestAuthority.create();
  const certificate = await authority.issue('default/front', ['chat.example']);
  const serverSide = await SERVERS['HTTP/1.1'](context);
  const proxy = await startSecure(context, [serverSide.port], { certificates: [certificate] });
  const open = (ca: string): { socket: WebSocket; opened: Promise<string> } => {
    const dispatcher = new Agent({ connect: { ca, servername: 'chat.example' } });
    context.after(() => dispatcher.destroy());
    const socket = new WebSocket(`wss://127.0.0.1:${proxy.port}/chat`, { dispatcher });
    socket.binaryType = 'arraybuffer';
    const opened = new Promise<string>((resolve) => {
      for (const event of ['open', 'error', 'close'] as const)
        socket.addEventListener(event, () => resolve(event));
    });
    return { socket, opened };
  };
  assert.equal(await open((await TestAuthority.create('another')).pem).opened, 'error');

  const taken = serverSide.take('/chat');
  const { socket, opened } = open(authority.pem);
  const asked = await taken;
  asked.accept([]);
  const endpoint = new Endpoint({
    role: 'server',
    echoes: true,
    deflate: null,
    mostMessageBytes: 2_000_000,
    send: (bytes) => asked.socket.write(bytes),
    end: () => asked.socket.end(),
  });
  if (asked.rest.length > 0) endpoint.receive(asked.rest);
  asked.socket.on('data', (bytes: Buffer) => endpoint.receive(bytes)).resume();
  assert.equal(await opened, 'open');
  const echo = (sent: string | Buffer): Promise<string | ArrayBuffer> =>
    new Promise((resolve) => {
      socket.addEventListener('message', ({ data }) => resolve(data), { once: true });
      socket.send(sent);
    });
  for (const size of [0, 1, 125, 126, 16_384, 65_536, 1_000_000]) {
    assert.equal(await echo('x'.repeat(size)), 'x'.repeat(size));
    const bytes = randomBytes(size);
    assert.ok(Buffer.from((await echo(bytes)) as ArrayBuffer).equals(bytes), `${size}`);
  }
  const closed = new Promise<{ code: number; wasClean: boolean }>((resolve) =>
    socket.addEventListener('close', ({ code, wasClean }) => resolve({ code, wasClean })),
  );
  socket.close(4321, 'enough');
  assert.deepEqual(await closed, { code: 4321, wasClean: true });
});
