import { join } from 'node:path';
import type { Logger } from 'pino';
import { startController } from '../control/controller.ts';
import { openAdmin } from './admin.ts';
import { openConfiguration } from './configuration.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Running, runUntilSignal } from './lifecycle.ts';
import { serverTransport, type TransportOptions } from './transport.ts';

export interface ControllerOptions extends TransportOptions {
  readonly config: string;
  readonly data?: string;
  readonly listen: string;
  readonly admin: string;
}

export function runController(options: ControllerOptions, logger: Logger): Promise<void> {
  return runUntilSignal(logger, () => startControllerProgram(options, logger));
}

/** Manifests in, configuration streams out. */
async function startControllerProgram(options: ControllerOptions, logger: Logger): Promise<Running> {
  const opened = new AsyncDisposableStack();
  try {
    const transport = serverTransport(options, options.listen);
    if (options.data !== undefined) {
      const data = await openDataDirectory(options.data);
      opened.defer(() => data.release());
    }
    const admin = await openAdmin(options.admin, ['controller'], logger);
    opened.defer(() => admin.close());
    const lastGood = options.data === undefined ? null : join(options.data, 'last-good-objects.json');
    const source = openConfiguration(options.config, lastGood, logger);
    const controller = await startController({
      source,
      listen: options.listen,
      credentials: transport.credentials,
      logger,
    });
    opened.defer(() => controller.stop());
    admin.attachController(controller.admin);
    logger.info(
      { listen: controller.address, admin: admin.address, config: options.config },
      'controller runs',
    );
    return {
      async reload() {
        transport.reload();
        await source.reload();
      },
      stop: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}
