import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteppingClock } from '../../simulations/clock.ts';
import { Network } from '../../simulations/network/network.ts';
import { Outbox } from '../../simulations/network/outbox.ts';
import { mismatch, pattern } from '../../simulations/network/pattern.ts';
import type { Side, SideOwner } from '../../simulations/network/side.ts';
import { Prng } from '../../simulations/prng.ts';

const READ = Buffer.alloc(65_536);

interface Link {
  readonly seed: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly tearing: number;
  readonly window: number;
}

const links = fc.record<Link>({
  seed: fc.nat(),
  latencyMs: fc.constantFrom(0, 1, 20),
  jitterMs: fc.constantFrom(0, 10),
  loss: fc.constantFrom(0, 0.3),
  tearing: fc.constantFrom(0, 0.9),
  window: fc.constantFrom(1, 100, 65_536),
});

function network({ seed, latencyMs, jitterMs, loss, tearing, window }: Link): Network {
  return new Network({
    clock: new SteppingClock(),
    prng: new Prng(String(seed)),
    style: { latencyMs, jitterMs, loss, tearing },
    windows: [window, window],
  });
}

function owner(over: Partial<SideOwner>): SideOwner {
  return { onConnect() {}, onReadable() {}, onRoom() {}, ...over };
}

/** A server that keeps what it reads, and what it saw at the end. */
function collect(side: Side, into: { bytes: Buffer[]; end: string }): void {
  const read = () => {
    for (let length = side.read(READ); length > 0; length = side.read(READ))
      into.bytes.push(Buffer.from(READ.subarray(0, length)));
    if (side.isBroken) into.end = 'reset';
    else if (side.atEnd) into.end = 'end';
  };
  side.owner = owner({ onReadable: read });
  read();
}

test('what is written arrives once, in order, then the end, whatever the link does', () => {
  fc.assert(
    fc.property(
      links,
      fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 8 }),
      fc.boolean(),
      (link, sizes, parted) => {
        const net = network(link);
        const got = { bytes: [] as Buffer[], end: '' };
        net.listen('server', 80, {
          sharesPort: true,
          offer: (side) => {
            collect(side, got);
            return true;
          },
        });
        const side = net.connect('client', 'server', 80);
        const outbox = new Outbox(side);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        side.owner = owner({
          onConnect: () => {
            for (let at = 0, index = 0; index < sizes.length; at += sizes[index]!, index += 1)
              outbox.send(pattern(1, at, sizes[index]!));
            outbox.whenEmpty(() => side.end());
          },
          onRoom: () => outbox.pump(),
        });
        if (parted) {
          net.clock.after(5, () => net.link('client', 'server').block());
          net.clock.after(5_000, () => net.healAll());
        }
        while (net.clock.step()) {}
        const all = Buffer.concat(got.bytes);
        assert.equal(all.length, total);
        assert.equal(mismatch(1, 0, all), -1);
        assert.equal(got.end, 'end');
      },
    ),
    { numRuns: 200 },
  );
});

test('no more is on its way than the window, until the reader reads', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 20_000 }), (window, size) => {
      const net = network({ seed: 1, latencyMs: 1, jitterMs: 0, loss: 0, tearing: 0.5, window });
      let server: Side | null = null;
      net.listen('server', 80, {
        sharesPort: true,
        offer: (side) => {
          server = side;
          return true;
        },
      });
      const side = net.connect('client', 'server', 80);
      let taken = 0;
      side.owner = owner({
        onConnect: () => {
          taken = side.write(Buffer.alloc(size));
        },
      });
      while (net.clock.step()) {}
      assert.equal(taken, Math.min(window, size));
      assert.equal(server!.incoming.available, taken);
    }),
  );
});

test('nobody listens: refused; a reset is seen after what came before it; a close with unread bytes is a reset', () => {
  const net = network({ seed: 3, latencyMs: 1, jitterMs: 0, loss: 0, tearing: 0, window: 1_000 });
  const refused = net.connect('client', 'server', 80);
  refused.owner = owner({});
  while (net.clock.step()) {}
  assert.equal(refused.failure, 'ECONNREFUSED');

  const got = { bytes: [] as Buffer[], end: '' };
  net.listen('server', 80, {
    sharesPort: true,
    offer: (side) => {
      side.owner = owner({ onReadable: () => side.close() });
      side.write(Buffer.from('before'));
      return true;
    },
  });
  const side = net.connect('client', 'server', 80);
  side.owner = owner({ onConnect: () => side.write(Buffer.from('never read')) });
  net.clock.after(3, () => collect(side, got));
  while (net.clock.step()) {}
  assert.equal(Buffer.concat(got.bytes).toString(), 'before');
  assert.equal(got.end, 'reset');
  assert.equal(side.write(Buffer.from('x')), -1);
});

test('while a link is blocked nobody hears anything; several sockets share a port', () => {
  const net = network({ seed: 5, latencyMs: 1, jitterMs: 1, loss: 0, tearing: 0, window: 1_000 });
  const offers = [0, 0, 0];
  for (const index of offers.keys())
    net.listen('server', 80, {
      sharesPort: true,
      offer: () => {
        offers[index]! += 1;
        return true;
      },
    });
  net.link('client', 'server').block();
  let connected = 0;
  for (let count = 0; count < 90; count += 1)
    net.connect('client', 'server', 80).owner = owner({
      onConnect: () => {
        connected += 1;
      },
    });
  while (net.clock.step()) {}
  assert.deepEqual([connected, ...offers], [0, 0, 0, 0]);
  net.healAll();
  while (net.clock.step()) {}
  assert.equal(connected, 90);
  for (const count of offers) assert.ok(count > 10, `${offers}`);
});
