import { type End, pair } from './end.ts';
import type { Stage } from './stage.ts';

export interface Script {
  readonly name: string;
  /** Resolves with what was seen; the same on every stage. */
  play(stage: Stage): Promise<Readonly<Record<string, unknown>>>;
}

export const LARGE = Buffer.alloc(24 << 20, 'large writes do not fit into any buffer of a kernel. ');

/** A script for two connected ends; both accounts are compared. */
export function ends(name: string, play: (client: End, server: End, stage: Stage) => Promise<void>): Script {
  return {
    name,
    async play(stage) {
      const { client, server, listening } = await pair(stage);
      try {
        await play(client, server, stage);
        return { client: client.account(), server: server.account() };
      } finally {
        client.stream.destroy();
        server.stream.destroy();
        listening.socket.close();
        await stage.settle();
      }
    },
  };
}
