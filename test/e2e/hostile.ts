import { connect, createServer, type Socket } from 'node:net';
import type { Draw } from '../draw.ts';

const HOST = 'Host: a.example\r\n';
const BIG = 'x'.repeat(5000);

/** Good, odd and bad requests. */
export const REQUESTS: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `HEAD / HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.0\r\n\r\n`,
  `GET / HTTP/1.0\r\nConnection: keep-alive\r\n${HOST}\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 50000\r\n\r\n${'y'.repeat(50_000)}`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\nhello`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${'1\r\nz\r\n'.repeat(2000)}0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
  `POST / HTTP/1.1\r\n${HOST}Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Expect: something\r\n\r\n`,
  `GET http://a.example:80/x?y#z HTTP/1.1\r\n${HOST}\r\n`,
  `GET http://b.example/ HTTP/1.1\r\n${HOST}\r\n`,
  `GET http:///nowhere HTTP/1.1\r\n${HOST}\r\n`,
  `GET ftp://a.example/ HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  `GET * HTTP/1.1\r\n${HOST}\r\n`,
  `CONNECT a.example:443 HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.1\r\nHost: \r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a b\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: [::1]:99999\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: [::\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
  `GET / HTTP/1.1\r\nHost: ${'a.'.repeat(2000)}example\r\n\r\n`,
  `GET /${'a/../'.repeat(500)} HTTP/1.1\r\n${HOST}\r\n`,
  `GET /%00%2e%2e%2f%ff?%zz=%&&=&a HTTP/1.1\r\n${HOST}\r\n`,
  `GET /re/${'a'.repeat(4000)}! HTTP/1.1\r\n${HOST}\r\n`,
  `GET /re/%F0%9F%98%80 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /long HTTP/1.1\r\n${HOST}X-Long: ${BIG}\r\n\r\n`,
  `GET /redirect/${'p'.repeat(7000)}?q=${'r'.repeat(900)} HTTP/1.1\r\n${HOST}\r\n`,
  `GET /rewrite/${'p'.repeat(7000)}?q HTTP/1.1\r\n${HOST}\r\n`,
  `POST /redirect HTTP/1.1\r\n${HOST}Content-Length: 20\r\n\r\n`,
  `GET /weightless HTTP/1.1\r\n${HOST}\r\n`,
  `GET /empty HTTP/1.1\r\n${HOST}\r\n`,
  `GET /dead HTTP/1.1\r\n${HOST}\r\n`,
  `POST /dead HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `GET /none HTTP/1.1\r\nHost: elsewhere\r\n\r\n`,
  `GET /upgrade HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: echo\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Connection: close, x-hop\r\nX-Hop: 1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Connection: ${'a,'.repeat(3000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}${Array.from({ length: 99 }, (_, index) => `X-${index}:${index}\r\n`).join('')}\r\n`,
  `GET / HTTP/1.1\r\n${HOST}${'A:b\r\n'.repeat(200)}\r\n`,
  `GET / HTTP/1.1\r\n${HOST}X: ${'v'.repeat(70_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}X: ${'v'.repeat(60_000)}\r\n\r\n`,
  `GET /${'p'.repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.1\r\n${HOST} folded: x\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Na me: x\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}X-Request-Id: ${'i'.repeat(300)}\r\n\r\n`,
  `GET / HTTP/2.0\r\n${HOST}\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\r\n\r\n\r\n\r\n',
];

/** Good, odd and bad answers. */
export const ANSWERS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray',
  'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nrest',
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nz\r\n'.repeat(500)}0\r\n${'T: x\r\n'.repeat(200)}\r\n`,
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nextra',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 205 Reset Content\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello',
  'HTTP/1.1 101 Switching Protocols\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  `HTTP/1.1 200 OK\r\nX: ${'v'.repeat(64_000)}\r\nContent-Length: 0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nX: ${'v'.repeat(90_000)}\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${'A:b\r\n'.repeat(99)}\r\n`,
  `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(5000)}`,
  `HTTP/1.1 200 ${'r'.repeat(9000)}\r\n\r\n`,
  'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 20 OK\r\n\r\n',
  'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 099 Odd\r\n\r\n',
  'HTTP/2 200 OK\r\n\r\n',
  'SSH-2.0-OpenSSH\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\nok',
  `HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'b'.repeat(200_000)}`,
  '',
  '\0',
];

/** Damages a message, or leaves it as it is. */
export function damaged(text: string, draw: Draw): string {
  const at = draw.below(Math.max(1, Math.min(text.length, 2000)));
  switch (draw.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + String.fromCharCode(draw.below(256)) + text.slice(at + 1);
    case 2:
      return (
        text.slice(0, at) +
        draw.of(['\r\n', '\n', '\r', '\0', ' ', '\t', ':', '%', '\xff', '0']) +
        text.slice(at)
      );
    case 3:
      return text.slice(0, at) + text.slice(at + 1 + draw.below(4));
    default:
      return text;
  }
}

/** Sends in pieces, then ends, aborts, stalls or just waits. Resolves when the connection is over or the time is. */
export function attack(port: number, text: string, draw: Draw): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    let answer = '';
    const bytes = Buffer.from(text, 'latin1');
    const how = draw.below(6);
    const cuts =
      draw.below(3) === 0
        ? [draw.below(bytes.length + 1), draw.below(bytes.length + 1)].sort((a, b) => a - b)
        : [];
    const over = setTimeout(() => socket.destroy(), 30 + draw.below(100));
    socket.on('data', (part) => {
      answer += part.toString('latin1');
      if (how === 5) socket.pause();
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(over);
      resolve(answer);
    });
    socket.on('connect', () => {
      let from = 0;
      for (const cut of cuts) {
        socket.write(bytes.subarray(from, cut));
        from = cut;
      }
      const rest = (): void => {
        socket.write(bytes.subarray(from));
        if (how === 0) socket.end();
        else if (how === 1) socket.destroySoon();
        else if (how === 2) setImmediate(() => socket.resetAndDestroy());
      };
      if (cuts.length > 0) setImmediate(rest);
      else rest();
    });
  });
}

export interface HostileBackend {
  readonly port: number;
  close(): void;
}

/** Answers whatever comes with whatever is drawn, whole, damaged, late, early or not at all. */
export async function hostileBackend(draw: Draw): Promise<HostileBackend> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (draw.below(20) === 0) {
      socket.resetAndDestroy();
      return;
    }
    if (draw.below(20) === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly');
    socket.on('end', () => socket.end());
    socket.on('data', () => {
      if (!socket.writable) return;
      const answer = Buffer.from(damaged(draw.of(ANSWERS), draw), 'latin1');
      const cut = draw.below(answer.length + 1);
      socket.write(answer.subarray(0, cut));
      setImmediate(() => {
        if (!socket.writable) return;
        socket.write(answer.subarray(cut));
        const how = draw.below(8);
        if (how === 0) socket.end();
        else if (how === 1) socket.resetAndDestroy();
        else if (how === 2) socket.destroySoon();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
