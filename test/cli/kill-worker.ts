/**
 * Preloaded into a real process and its threads: at SIGUSR2 the dataplane thread that has lived longest throws, as a
 * fault of the program would, without anything in the program that knows of it.
 */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

type Message = { readonly born: number } | { readonly kill: number };

const channel = new BroadcastChannel('kill-worker');
channel.unref();
if (isMainThread) {
  const living: number[] = [];
  const told: { onmessage: unknown } = channel;
  told.onmessage = ({ data }: { data: Message }) => 'born' in data && living.push(data.born);
  process.on('SIGUSR2', () => channel.postMessage({ kill: living.shift() ?? -1 }));
} else if (process.argv[1]?.endsWith('src/agent/worker/main.ts')) {
  const told: { onmessage: unknown } = channel;
  told.onmessage = ({ data }: { data: Message }) => {
    if (!('kill' in data) || data.kill !== threadId) return;
    setImmediate(() => {
      throw new Error('killed by a test');
    });
  };
  channel.postMessage({ born: threadId });
}
