import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientConnection } from './protocol.ts';

/** Its connection has port 0 where it got none. */
export interface LostRequest extends ClientConnection {
  readonly how: string;
}

export interface Load {
  /** Requests answered as they should be. */
  answered(): number;
  /** Those that were not, since the last call. */
  lost(): readonly LostRequest[];
  /** Ends after the requests in flight. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly url: string;
  /** The whole answer that is right. */
  readonly right: string;
  /** Clients that keep their connection, and clients that open a new one for each request. */
  readonly keepAlive: number;
  readonly fresh: number;
}

const PAUSE_MS = 4;

/** When each socket began to connect; it does so in the turn in which its request gets it. */
const opened = new WeakMap<Socket, number>();
const wall = () => performance.timeOrigin + performance.now();
/** Clocks of two processes are this close, in milliseconds. */
const CLOCKS_MS = 5;

/** Clients that ask again and again, and know for each request that fails on which connection it was. */
export function load({ url, right, keepAlive, fresh }: LoadOptions): Load {
  let running = true;
  let answered = 0;
  let lost: LostRequest[] = [];
  const client = async (agent: Agent) => {
    while (running) {
      const result = await ask(url, agent);
      if (result.how === right) answered += 1;
      else lost.push(result);
      await sleep(PAUSE_MS);
    }
    agent.destroy();
  };
  const clients = Array.from({ length: keepAlive + fresh }, (_, index) =>
    client(new Agent({ keepAlive: index < keepAlive, maxSockets: 1 })),
  );
  return {
    answered: () => answered,
    lost() {
      const all = lost;
      lost = [];
      return all;
    },
    async stop() {
      running = false;
      await Promise.all(clients);
    },
  };
}

function ask(url: string, agent: Agent): Promise<LostRequest> {
  return new Promise((resolve) => {
    let port = 0;
    let openedAt = 0;
    const outgoing = request(url, { agent, timeout: 20_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ port, openedAt, closedAt: wall(), how: `${response.statusCode} ${body.trim()}` }),
      );
      response.on('error', (error) => resolve({ port, openedAt, closedAt: wall(), how: error.message }));
    });
    outgoing.on('socket', (socket) => {
      openedAt = opened.get(socket) ?? wall() - CLOCKS_MS;
      opened.set(socket, openedAt);
      port = socket.localPort ?? 0;
      if (port === 0)
        socket.once('connect', () => {
          port = socket.localPort ?? 0;
        });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 20 s')));
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ port, openedAt, closedAt: wall(), how: error.code ?? error.message }),
    );
    outgoing.end();
  });
}
