import type { Logger } from 'pino';
import { formatProblem } from '../config/problem-text.ts';
import type { ConfigurationBuild, ConfigurationSource } from '../model/configuration.ts';
import { logProblem } from './logger.ts';

/** The same source; each problem is logged once when it comes and once when it is mended, and what a build changes. */
export function loggedConfiguration(source: ConfigurationSource, logger: Logger): ConfigurationSource {
  let known = new Set<string>();
  const log = (build: ConfigurationBuild) => {
    const now = new Map(build.problems.map((problem) => [formatProblem(problem), problem]));
    for (const [text, problem] of now) if (!known.has(text)) logProblem(logger, problem);
    const mended = [...known].filter((text) => !now.has(text));
    if (mended.length > 0 && now.size === 0) logger.info('configuration: all problems are mended');
    else if (mended.length > 0) logger.info(`configuration: ${mended.length} mended, ${now.size} left`);
    if (build.changed.length + build.removed.length > 0) {
      logger.info({ changed: build.changed.length, removed: build.removed.length }, changesText(build));
    }
    known = new Set(now.keys());
  };
  source.subscribe(log);
  return {
    async start() {
      const build = await source.start();
      log(build);
      return build;
    },
    subscribe: (listener) => source.subscribe(listener),
    current: () => source.current(),
    reload: () => source.reload(),
    stop: () => source.stop(),
  };
}

const NAMED = 3;

function changesText({ changed, removed }: ConfigurationBuild): string {
  const named = (keys: readonly string[]) =>
    keys.length <= NAMED
      ? keys.join(', ')
      : `${keys.slice(0, NAMED).join(', ')} and ${keys.length - NAMED} more`;
  const parts = [];
  if (changed.length > 0) parts.push(`changed ${named(changed)}`);
  if (removed.length > 0) parts.push(`removed ${named(removed)}`);
  return `configuration: ${parts.join('; ')}`;
}
