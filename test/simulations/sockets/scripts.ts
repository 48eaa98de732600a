import { connect, listen } from './end.ts';
import { ends, LARGE, type Script } from './script.ts';

export const SCRIPTS: readonly Script[] = [
  ends('writes and reads both ways', async (client, server, { until }) => {
    client.write('ping');
    await until(() => server.received === 4);
    server.write('pong').writeAll([Buffer.from('a'), Buffer.alloc(0), Buffer.from('bc')]);
    await until(() => client.received === 7);
  }),
  ends('an end is seen after the data, and the other half goes on', async (client, server, { until }) => {
    client.write('last words');
    client.stream.end();
    await until(() => server.ended);
    server.write('an answer');
    await until(() => client.received === 9);
    server.stream.end();
    await until(() => client.isOver && server.isOver);
  }),
  ends('an end with a large write before it', async (client, server, { until }) => {
    client.write(LARGE);
    client.stream.end();
    await until(() => server.ended);
    server.stream.end();
    await until(() => client.isOver && server.isOver);
  }),
  ends('a write after the own end', async (client, server, { until, settle }) => {
    client.stream.end();
    await until(() => server.ended);
    client.write('too late');
    await settle();
  }),
  ends('both ends at once', async (client, server, { until }) => {
    client.stream.end();
    server.stream.end();
    await until(() => client.isOver && server.isOver);
  }),
  ends(
    'a close is an end; the first write after it is taken, the next finds nobody',
    async (client, server, { until, settle }) => {
      client.stream.destroy();
      await until(() => server.ended);
      server.write('taken all the same');
      await settle();
      server.write('nobody');
      await until(() => server.isOver);
    },
  ),
  ends('a close while the other writes without end', async (client, server, { until, settle }) => {
    client.stream.pause();
    server.write(LARGE);
    await settle();
    client.stream.destroy();
    await until(() => server.isOver);
  }),
  ends('a close with unread bytes is a reset', async (client, server, { until, settle }) => {
    client.stream.pause();
    server.write('never read');
    await settle();
    client.stream.destroy();
    await until(() => server.isOver);
  }),
  ends('a reset while the other reads', async (client, server, { until }) => {
    client.stream.reset();
    await until(() => server.isOver && client.isOver);
  }),
  ends('a reset while the other writes', async (client, server, { until, settle }) => {
    client.stream.pause();
    server.write(LARGE);
    await settle();
    client.stream.reset();
    await until(() => server.isOver && client.isOver);
  }),
  ends('a reset with data before it: the data is read first', async (client, server, { until, settle }) => {
    server.stream.pause();
    client.write('before the reset');
    await settle();
    client.stream.reset();
    await settle();
    server.say('reads again');
    server.stream.resume();
    await until(() => server.isOver);
  }),
  ends('a paused end sees no reset, until it writes', async (client, server, { until, settle }) => {
    server.stream.pause();
    client.stream.reset();
    await settle();
    server.write('to nobody');
    await until(() => server.isOver);
  }),
  ends('a reset after an end is seen by a write alone', async (client, server, { until, settle }) => {
    client.stream.end();
    await until(() => server.ended);
    client.stream.pause();
    server.write('unread');
    await settle();
    client.stream.destroy();
    await settle();
    server.write('to nobody');
    await until(() => server.isOver);
  }),
  ends('a close and a reset while the other is paused', async (client, server, { until, settle }) => {
    server.stream.pause();
    client.write('data');
    client.stream.destroy();
    await settle();
    server.write('brings the reset');
    await settle();
    server.say('reads again');
    server.stream.resume();
    await until(() => server.isOver || server.ended);
    await settle();
  }),
  ends('a reset after the own end is a close', async (client, server, { until, settle }) => {
    client.stream.end();
    client.stream.reset();
    await until(() => server.ended && client.isOver);
    await settle();
  }),
  ends('paused, it reads nothing and sees no end; then all', async (client, server, { until, settle }) => {
    server.stream.pause();
    client.write('one').write('two');
    client.stream.end();
    await settle();
    server.say('reads again');
    server.stream.resume();
    await until(() => server.ended);
  }),
  ends('paused within a read, it reads nothing more', async (client, server, { until, settle }) => {
    const onBytes = server.onBytes.bind(server);
    server.onBytes = (bytes, end) => {
      onBytes(bytes, end);
      server.stream.pause();
    };
    client.write(Buffer.alloc(60_000));
    await until(() => server.received > 0);
    await settle();
    const first = server.received;
    client.stream.end();
    await settle();
    const more = server.received - first;
    server.onBytes = onBytes;
    server.stream.resume();
    await until(() => server.ended);
    server.say(`${more} bytes while it was paused`);
  }),
  ends('pause and resume in one turn', async (client, server, { until }) => {
    server.stream.pause();
    client.write('data');
    server.stream.resume();
    await until(() => server.received === 4);
  }),
  ends('a large write waits until the other reads', async (client, server, { until, settle }) => {
    server.stream.pause();
    client.write(LARGE);
    await settle();
    client.say(`still waits: ${client.stream.writing}`);
    server.stream.resume();
    await until(() => client.writables === 1 && server.received === LARGE.length);
    client.write('more');
    await until(() => server.received === LARGE.length + 4);
  }),
  ends(
    'writes behind one that waits, wait too, and are done together',
    async (client, server, { until, settle }) => {
      server.stream.pause();
      client
        .write(LARGE)
        .write('behind')
        .writeAll([Buffer.from('it'), LARGE.subarray(0, 100)]);
      await settle();
      server.stream.resume();
      await until(() => client.writables > 0 && server.received === LARGE.length + 108);
      await settle();
    },
  ),
  ends(
    'closed while a write waits: the own end hears nothing of it',
    async (client, server, { until, settle }) => {
      server.stream.pause();
      client.write(LARGE);
      await settle();
      client.stream.destroy();
      await until(() => client.isOver);
      // What the kernel has taken still comes, however much that is.
      server.onBytes = () => {};
      server.stream.resume();
      await until(() => server.ended);
    },
  ),
  ends('closed by the owner within a read', async (client, server, { until }) => {
    server.onBytes = () => {
      server.say('some bytes');
      server.stream.destroy();
    };
    client.write('x');
    await until(() => server.isOver && client.ended);
  }),
  ends('calls after the close do nothing', async (client, server, { until, settle }) => {
    client.stream.destroy();
    client.write('x').writeAll([Buffer.from('y')]);
    client.stream.pause();
    client.stream.resume();
    client.stream.end();
    client.stream.destroy();
    await until(() => client.isOver && server.ended);
    await settle();
  }),
  {
    name: 'nobody listens: refused',
    async play(stage) {
      const { socket, port } = await listen(stage);
      socket.close();
      await stage.settle();
      const client = connect(stage, port);
      await stage.until(() => client.isOver);
      return { client: client.account() };
    },
  },
  {
    name: 'closed and reset while it connects',
    async play(stage) {
      const { socket, port, accepted } = await listen(stage);
      const closed = connect(stage, port);
      closed.stream.destroy();
      await stage.until(() => closed.isOver);
      const reset = connect(stage, port);
      reset.stream.reset();
      await stage.until(() => reset.isOver);
      await stage.settle();
      // Whether anybody is accepted depends on how fast the network is: on the loopback both are.
      for (const { stream } of accepted) stream.destroy();
      socket.close();
      await stage.settle();
      return { closed: closed.account(), reset: reset.account() };
    },
  },
  {
    name: 'what connects before the listener is active waits unread',
    async play(stage) {
      const { socket, port, accepted } = await listen(stage, { active: false });
      const client = connect(stage, port);
      await stage.until(() => client.connected);
      client.write('early');
      await stage.settle();
      const before = accepted.length;
      socket.activate();
      await stage.until(() => accepted[0]?.received === 5);
      const seen = { before, client: client.account(), server: accepted[0]!.account() };
      client.stream.destroy();
      accepted[0]!.stream.destroy();
      socket.close();
      await stage.settle();
      return seen;
    },
  },
  {
    name: 'a listener that was never active closes what waits: an end, or a reset where there are unread bytes',
    async play(stage) {
      const { socket, port } = await listen(stage, { active: false });
      const quiet = connect(stage, port);
      const spoke = connect(stage, port);
      await stage.until(() => quiet.connected && spoke.connected);
      spoke.write('unread');
      await stage.settle();
      socket.close();
      await stage.until(() => quiet.ended && spoke.isOver);
      quiet.stream.destroy();
      await stage.settle();
      return { quiet: quiet.account(), spoke: spoke.account() };
    },
  },
  {
    name: 'a listener that drains takes what is queued, then refuses',
    async play(stage) {
      const { socket, port, accepted } = await listen(stage);
      const clients = Array.from({ length: 5 }, () => connect(stage, port));
      await stage.until(() => clients.every(({ connected }) => connected));
      let drained = false;
      socket.drain(() => {
        drained = true;
      });
      await stage.until(() => drained && accepted.length === clients.length);
      const late = connect(stage, port);
      await stage.until(() => late.isOver);
      for (const { stream } of [...clients, ...accepted]) stream.destroy();
      await stage.settle();
      return { late: late.account(), clients: clients.map(({ log }) => log), accepted: accepted.length };
    },
  },
  {
    name: 'a port that somebody has is refused; several share one where all of them want to',
    async play(stage) {
      const code = (error: NodeJS.ErrnoException) => error.code;
      const alone = await listen(stage);
      const second = await listen(stage, { port: alone.port }).catch(code);
      const sharer = await listen(stage, { port: alone.port, reusePort: true }).catch(code);
      alone.socket.close();
      await stage.settle();
      const again = await listen(stage, { port: alone.port, reusePort: true });
      const beside = await listen(stage, { port: alone.port, reusePort: true });
      const third = await listen(stage, { port: alone.port }).catch(code);
      again.socket.close();
      beside.socket.close();
      await stage.settle();
      return { second, sharer, samePort: again.port === beside.port, third };
    },
  },
];

/** Needs a process in which few descriptors are left. */
export const STARVED: Script = {
  name: 'without descriptors nothing is bound or connected, and whoever comes is sent away; with them all is well',
  async play(stage) {
    const { outside, until, settle } = stage;
    const { socket, port, accepted } = await listen(stage);
    const feed = stage.starve();
    const comes = connect({ system: outside }, port);
    await until(() => comes.ended);
    const goes = connect(stage, port);
    await until(() => goes.isOver);
    const refused = await listen(stage).catch((error: NodeJS.ErrnoException) => error.code);
    feed();
    comes.stream.destroy();
    const before = accepted.length;
    const again = connect(stage, port);
    await until(() => again.connected && accepted.length > before);
    for (const { stream } of [again, ...accepted]) stream.destroy();
    socket.close();
    await settle();
    return { before, refused, comes: comes.account(), goes: goes.account(), again: again.account() };
  },
};
