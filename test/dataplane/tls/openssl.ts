import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Ran {
  /** -1: ended by a signal. */
  readonly code: number;
  /** What it wrote to both of its outputs, in one. */
  readonly text: string;
}

/** Runs a program beside the test, with `input` as all that it can read. */
export function run(program: string, arguments_: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, arguments_, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 20_000 });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
      });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, text }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

export const CLOSING = 'GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n';

/** A request by `openssl s_client`, read until the server ends the connection. */
export function ask(port: number, words: string, request = CLOSING): Promise<Ran> {
  return run(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-ign_eof',
      ...words.split(' ').filter((word) => word !== ''),
    ],
    request,
  );
}

/** A handshake, and then what it is told by letters: `R` at the beginning of a line to renegotiate. */
export function handshake(port: number, words: string, letters = ''): Promise<Ran> {
  return run(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, ...words.split(' ').filter((word) => word !== '')],
    letters,
  );
}

/** A directory that is there for as long as the test; returns what gives a file in it its path, and its content. */
export function directory(context: Pick<TestContext, 'after'>): (name: string, text?: string) => string {
  const path = mkdtempSync(join(tmpdir(), 'novaedge-tls-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return (name, text) => {
    const file = join(path, name);
    if (text !== undefined) writeFileSync(file, text);
    return file;
  };
}
