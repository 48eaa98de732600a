import { STATUS_CODES } from 'node:http';

/** Reason phrase for a status line; empty where none is registered. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? '';
}

/** `HTTP/1.1 200 OK\r\n` for every registered status. */
const STATUS_LINES: (Buffer | undefined)[] = new Array(600);
for (const code of Object.keys(STATUS_CODES)) {
  STATUS_LINES[Number(code)] = Buffer.from(`HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\n`, 'latin1');
}

export function statusLine(status: number): Buffer {
  let line = STATUS_LINES[status];
  if (line === undefined) {
    line = Buffer.from(`HTTP/1.1 ${status} \r\n`, 'latin1');
    STATUS_LINES[status] = line;
  }
  return line;
}
