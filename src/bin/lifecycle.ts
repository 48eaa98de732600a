import type { Logger } from 'pino';
import { EXIT, StartError } from './exit-code.ts';

export interface Running {
  /** Drains and ends everything; resolves when nothing is left. */
  stop(): Promise<void>;
  /** Reads configuration and certificates again; without it, SIGHUP means that the terminal is gone. */
  reload?(): Promise<void>;
}

const SAME_SIGNAL_MS = 500;

/**
 * Runs a program until a signal ends it: SIGTERM and SIGINT drain, a second one ends at once, SIGHUP reads again.
 * Sets the process's exit code, see EXIT.
 */
export async function runUntilSignal(logger: Logger, start: () => Promise<Running>): Promise<void> {
  let running: Running | null = null;
  let stopping = false;
  let askedAt = 0;

  const end = async (signal: NodeJS.Signals) => {
    if (stopping) {
      // One Ctrl-C may arrive twice: from the terminal and passed on by npm.
      if (performance.now() - askedAt < SAME_SIGNAL_MS) return;
      logger.warn({ signal }, 'second signal: ending without drain');
      process.exit(EXIT.interrupted);
    }
    stopping = true;
    askedAt = performance.now();
    logger.info({ signal }, 'draining');
    // A signal during the start is taken up as soon as there is something to stop.
    if (running !== null) await finish(running);
  };
  const finish = async (program: Running) => {
    try {
      await program.stop();
      logger.info('stopped');
      process.exitCode = EXIT.ok;
    } catch (error) {
      logger.error({ err: error }, 'failed while stopping');
      process.exitCode = EXIT.failed;
    }
    // Whatever a library still holds open must not keep a stopped program alive.
    setTimeout(() => process.exit(), 1_000).unref();
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal));
  process.on('SIGHUP', () => {
    if (running !== null && running.reload === undefined) return void end('SIGHUP');
    logger.info('reading again (SIGHUP)');
    running
      ?.reload?.()
      .catch((error) => logger.error({ err: error }, 'reading again failed; what served serves on'));
  });

  try {
    running = await start();
  } catch (error) {
    if (error instanceof StartError) logger.fatal(error.message);
    else logger.fatal({ err: error }, 'cannot start');
    process.exit(EXIT.cannotStart);
  }
  if (stopping) await finish(running);
}
