import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { Configuration } from '../config/configuration.ts';
import { FileSource } from '../config/source/file-source.ts';
import { WatchedFiles } from '../config/source/watched-files.ts';
import type { ConfigurationSource } from '../model/configuration.ts';
import { loggedConfiguration } from '../observe/problem-log.ts';
import { StartError } from './exit-code.ts';

/** The manifests of `--config`; what is wrong with them, and what changes, is logged. */
export function openConfiguration(
  directory: string,
  lastGoodFile: string | null,
  logger: Logger,
): ConfigurationSource {
  try {
    statSync(directory);
  } catch (error) {
    throw new StartError(`--config: ${(error as Error).message}`);
  }
  const source = new FileSource(directory);
  const files = new WatchedFiles();
  const configuration = new Configuration(
    lastGoodFile === null ? { source, files } : { source, files, lastGoodFile },
  );
  return loggedConfiguration(configuration, logger);
}
