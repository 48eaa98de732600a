import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { FrameReader, serverFrame } from './websocket-frame.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [CLOSE, PING, PONG] = [8, 9, 10] as const;

/** A WebSocket server (RFC 6455) that sends each frame back as it came; what one read brings leaves in one write. */
export function websocketBackend(): Server {
  return createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    let head = '';
    const reader = new FrameReader();
    socket.once('data', function takeHead(bytes: Buffer) {
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        socket.once('data', takeHead);
        return;
      }
      const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1];
      if (key === undefined) {
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      const accept = createHash('sha1')
        .update(key + GUID)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.on('data', echo);
      const rest = Buffer.from(head.slice(end + 4), 'latin1');
      if (rest.length > 0) echo(rest);
    });
    function echo(bytes: Buffer): void {
      const out: Buffer[] = [];
      let ends = false;
      for (const { first, payload } of reader.read(bytes)) {
        const opcode = first & 15;
        out.push(serverFrame(opcode === PING ? (first & ~15) | PONG : first, payload));
        ends ||= opcode === CLOSE;
      }
      if (out.length > 0) socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
      if (ends) socket.end();
    }
  });
}
