import { registerHooks } from 'node:module';

/**
 * Loaded into a NovaEdge process by `NODE_OPTIONS=--import=…`: objects whose name says so do harm while a worker
 * prepares or commits them, as an object could that meets a defect nobody knows of. What NovaEdge runs is its own
 * source with a call at those two places.
 */
const PLACES = [
  { phase: 'prepare', before: 'at(key);\n      const before = whole' },
  { phase: 'commit', before: 'at(key);\n      const before = this.#resources.get(key);' },
] as const;

/** `poison-loop-prepare` in an object's key. */
function harm(phase: string, key: string): void {
  if (key.endsWith(`poison-loop-${phase}`)) for (;;);
  if (key.endsWith(`poison-exit-${phase}`)) process.exit(3);
  if (key.endsWith(`poison-throw-${phase}`)) throw new Error('injected exception');
  if (key.endsWith(`poison-memory-${phase}`))
    for (const hoard: unknown[] = []; ; ) hoard.push(new Array(10_000).fill(key));
}

Object.assign(globalThis, { harm });

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith('/src/dataplane/configuration.ts')) return loaded;
    let source = Buffer.from(loaded.source as Uint8Array).toString();
    for (const { phase, before } of PLACES) {
      if (!source.includes(before)) throw new Error(`there is no place to do harm at ${phase}`);
      source = source.replace(
        before,
        before.replace('at(key);', `at(key); globalThis.harm('${phase}', key);`),
      );
    }
    return { ...loaded, source };
  },
});
