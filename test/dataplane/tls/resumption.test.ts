import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { ListenerTls } from '../../../src/model/tls.ts';
import { TicketKeys } from '../../../src/os/tls/ticket-keys.ts';
import { TestAuthority } from '../../certificates.ts';
import type { Harness } from '../harness.ts';
import { answering, OK, rawBackend } from '../raw.ts';
import { shake, startSecure } from './harness.ts';

let certificate: Certificate;
let authority: TestAuthority;

before(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['www.example.com']);
});

async function workers(
  context: TestContext,
  count: number,
  ticketKeys: SharedArrayBuffer,
  tls: Partial<ListenerTls> = {},
): Promise<Harness[]> {
  const backend = await rawBackend(context, answering(OK));
  const started: Harness[] = [];
  for (let worker = 0; worker < count; worker += 1)
    started.push(
      await startSecure(context, [backend.port], { certificates: [certificate], tls, ticketKeys }),
    );
  return started;
}

/** A request; the session that came with it, and whether one was resumed. */
async function visit(
  harness: Harness,
  options: ConnectionOptions,
): Promise<{ resumed: boolean; session: Buffer }> {
  const { socket, failure } = await shake(harness.port, { servername: 'www.example.com', ...options });
  assert.equal(failure, '');
  let session: Buffer = options.maxVersion === 'TLSv1.2' ? socket.getSession()! : Buffer.alloc(0);
  socket.on('session', (offered: Buffer) => {
    session = offered;
  });
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write('GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n');
  await answered;
  const resumed = socket.isSessionReused();
  socket.destroy();
  return { resumed, session };
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${maxVersion}: a session begun at one worker is resumed at another, and after its key was replaced`, async (context) => {
    const keys = new TicketKeys();
    const [one, other] = await workers(context, 2, keys.memory);
    const first = await visit(one!, { maxVersion });
    assert.equal(first.resumed, false);
    const second = await visit(other!, { maxVersion, session: first.session });
    assert.equal(second.resumed, true);
    keys.rotate();
    const third = await visit(one!, { maxVersion, session: second.session });
    assert.equal(third.resumed, true);
    // Renewed under the newest key, so it outlasts the one it began with.
    keys.rotate();
    keys.rotate();
    assert.equal((await visit(other!, { maxVersion, session: third.session })).resumed, true);
    assert.equal((await visit(other!, { maxVersion, session: first.session })).resumed, false);
  });
}

test('a worker with other keys, a listener without tickets, and other client certificates resume nothing', async (context) => {
  const keys = new TicketKeys();
  const [one] = await workers(context, 1, keys.memory);
  const { session } = await visit(one!, {});
  const [stranger] = await workers(context, 1, new TicketKeys().memory);
  assert.equal((await visit(stranger!, { session })).resumed, false);
  const [without] = await workers(context, 1, keys.memory, { sessionTickets: false });
  assert.equal((await visit(without!, { session })).resumed, false);
  const asking = { mode: 'Optional', ca: authority.pem, header: 'x-client' } as const;
  const [other] = await workers(context, 1, keys.memory, { clientCertificates: asking });
  assert.equal((await visit(other!, { session })).resumed, false);
});
