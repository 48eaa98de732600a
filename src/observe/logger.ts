import { type DestinationStream, type Logger, pino } from 'pino';
import { build as buildPrettyStream } from 'pino-pretty';
import { formatProblem } from '../config/problem-text.ts';
import type { Problem } from '../model/object.ts';
import { LOG_REDACTION_PATHS, REDACTED } from './secrets.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  /** Undefined: text on a terminal, else JSON, one object a line. */
  readonly format?: LogFormat | undefined;
  /** `info` unless given. */
  readonly level?: LogLevel | undefined;
  /** Standard output unless given. */
  readonly destination?: (NodeJS.WritableStream & { readonly isTTY?: boolean }) | undefined;
}

/** The program's logger. Secrets are replaced by `<redacted>`, see `secrets.ts`. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const terminal = (options.destination ?? process.stdout).isTTY === true;
  const format = options.format ?? (terminal ? 'text' : 'json');
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...LOG_REDACTION_PATHS], censor: REDACTED },
    },
    format === 'text' ? textStream(options, terminal) : (options.destination ?? pino.destination(1)),
  );
}

function textStream(options: LoggerOptions, terminal: boolean): DestinationStream {
  return buildPrettyStream({
    colorize: terminal && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    // The message of a problem already says what its fields say.
    ignore: 'component,problem',
    messageFormat: (log, messageKey) => {
      const component = log.component;
      const message = visibleText(String(log[messageKey] ?? ''));
      return typeof component === 'string' ? `${component}: ${message}` : message;
    },
    destination: options.destination ?? 1,
    sync: true,
  });
}

/** A message that quotes someone's input must not steer the terminal. */
function visibleText(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** A logger whose lines carry `component`, for example `config`, `control`, `agent`. */
export function componentLogger(logger: Logger, component: string): Logger {
  return logger.child({ component });
}

/**
 * Says what is wrong with the user's input: as one line of text with file, line, object, field, value and reason,
 * and in JSON also as fields under `problem`.
 */
export function logProblem(logger: Logger, problem: Problem): void {
  const level = problem.severity === 'error' ? 'error' : 'warn';
  logger[level]({ problem }, formatProblem(problem));
}
