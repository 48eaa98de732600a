import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Longest path a Unix socket may have on every system we run on (sun_path of macOS is the shortest). */
const LONGEST_SOCKET_PATH = 103;

/**
 * Where the socket `name` of a directory stands: in the directory, or, where that path is too long for a socket, in
 * a directory of this user below the temporary one.
 */
export function privateSocketPath(directory: string, name: string): string {
  const inside = join(realpathSync(directory), name);
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside;
  const aside = join(tmpdir(), `novaedge-sockets-${userInfo().uid}`);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const found = lstatSync(aside);
  // Anybody may make a directory of that name before us.
  if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o077) !== 0) {
    throw new Error(
      `${aside} is not a directory of this user alone; a shorter path for ${directory} avoids it`,
    );
  }
  return join(aside, createHash('sha256').update(inside).digest('hex').slice(0, 16));
}
