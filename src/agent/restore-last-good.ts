import type { Logger } from 'pino';
import type { ConfigurationStore } from './configuration-store.ts';
import type { LastGoodFile } from './last-good.ts';

/** Stages what served last. Never rejects: without it the agent waits for its controller. */
export async function restoreLastGood(
  lastGood: LastGoodFile,
  store: ConfigurationStore,
  logger: Pick<Logger, 'info' | 'warn' | 'error'>,
): Promise<void> {
  const loaded = await lastGood.load();
  if (!loaded.ok) {
    if (!loaded.missing) logger.error({ reason: loaded.reason }, 'the last good snapshot is refused');
    return;
  }
  const { version, resources, fallback } = loaded;
  if (fallback !== undefined) logger.warn({ reason: fallback }, 'the newest last good snapshot is refused');
  store.restore(loaded);
  logger.info({ version, objects: resources.length }, 'starting with the last good snapshot');
}
