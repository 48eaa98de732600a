import { SocketStream } from '../../../src/os/socket-stream.ts';
import { connect, End, listen } from './end.ts';
import { ends, LARGE, type Script } from './script.ts';
import { HOST } from './stage.ts';

/** Ends, closes and resets at awkward moments: within a callback, while a write or another end waits, too early. */
export const MOMENTS: readonly Script[] = [
  ends('an end is asked for twice, and said once', async (client, server, { until, settle }) => {
    client.stream.end();
    client.stream.end();
    await until(() => server.ended);
    server.stream.pause();
    server.stream.resume();
    await settle();
  }),
  ends(
    'a reset while an end waits for a large write is a close',
    async (client, server, { until, settle }) => {
      server.stream.pause();
      client.write(LARGE);
      client.stream.end();
      await settle();
      client.stream.reset();
      await until(() => client.isOver);
      // What the kernel has taken still comes, however much that is.
      server.onBytes = () => {};
      server.stream.resume();
      await until(() => server.ended);
    },
  ),
  ends(
    'reset by the other while an end waits for a large write',
    async (client, server, { until, settle }) => {
      server.stream.pause();
      client.write(LARGE);
      client.stream.end();
      await settle();
      server.stream.reset();
      await until(() => client.isOver && server.isOver);
    },
  ),
  ends('closed by the owner within the end', async (client, server, { until, settle }) => {
    const onEnd = server.onEnd.bind(server);
    server.onEnd = () => {
      onEnd();
      server.stream.end();
      server.stream.destroy();
    };
    client.stream.end();
    await until(() => client.isOver && server.isOver);
    await settle();
  }),
  ends('reset by the owner within a read', async (client, server, { until, settle }) => {
    server.onBytes = () => {
      server.say('some bytes');
      server.stream.reset();
      server.write('nothing');
    };
    client.write('x');
    await until(() => client.isOver && server.isOver);
    await settle();
  }),
  ends('closed by the owner when a write is done', async (client, server, { until, settle }) => {
    const onWritable = client.onWritable.bind(client);
    client.onWritable = () => {
      onWritable();
      client.stream.destroy();
    };
    server.stream.pause();
    client.write(LARGE);
    await settle();
    server.stream.resume();
    await until(() => client.isOver && server.ended);
    server.say(`all: ${server.received === LARGE.length}`);
  }),
  ends('an owner that throws at every turn hears of the fault', async (client, server, { until }) => {
    server.onBytes = () => {
      throw new Error('cannot read');
    };
    server.onEnd = () => {
      server.ended = true;
      throw new Error('cannot end');
    };
    client.write('x');
    client.stream.end();
    await until(() => server.ended);
    server.stream.end();
    await until(() => server.isOver && client.isOver);
  }),
  ends(
    'what waits to be sent is known until the kernel has it',
    async (client, server, { until, settle }) => {
      server.stream.pause();
      client.write(LARGE);
      await settle();
      const { unsent } = client.stream;
      client.say(`waits: ${unsent > 0 && unsent < LARGE.length}`);
      server.stream.resume();
      await until(() => client.writables === 1 && server.received === LARGE.length);
      client.say(`waits: ${client.stream.unsent > 0}`);
    },
  ),
  ends('addresses of both ends, until the connection is closed', async (client, server, { until }) => {
    const facts = () => [
      client.stream.remoteAddress,
      server.stream.remoteAddress,
      client.stream.localAddress,
      client.stream.localPort === server.stream.remotePort,
      client.stream.remotePort === server.stream.localPort,
      client.stream.localPort === server.stream.localPort,
    ];
    client.say(facts().join(' '));
    client.stream.destroy();
    server.stream.destroy();
    client.say(facts().join(' '));
    await until(() => client.isOver && server.isOver);
  }),
  {
    name: 'ended and paused while it connects',
    async play(stage) {
      const { socket, port, accepted } = await listen(stage);
      const client = connect(stage, port);
      client.stream.end();
      client.stream.pause();
      await stage.until(() => accepted[0]?.ended === true);
      accepted[0]!.write('not read at first');
      await stage.settle();
      client.say('reads');
      client.stream.resume();
      await stage.until(() => client.received > 0);
      accepted[0]!.stream.end();
      await stage.until(() => client.isOver && accepted[0]!.isOver);
      socket.close();
      await stage.settle();
      return { client: client.account(), server: accepted[0]!.account() };
    },
  },
  {
    name: 'closed by the owner when it has connected',
    async play(stage) {
      const { socket, port, accepted } = await listen(stage);
      const client = new End();
      client.onConnect = () => {
        client.say('connect');
        client.stream.destroy();
      };
      client.stream = SocketStream.connecting(stage.system, HOST, port, client);
      await stage.until(() => client.isOver && accepted[0]?.ended === true);
      accepted[0]!.stream.destroy();
      socket.close();
      await stage.settle();
      return { client: client.account(), server: accepted[0]!.account() };
    },
  },
];
