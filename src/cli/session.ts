import { AdminClient } from './client.ts';
import { CommandFailure, EXIT } from './failure.ts';
import { ASCII, type Glyphs, type Paint, painter, showsUnicode, UNICODE } from './paint.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Where a command reads and writes: the process, or a test. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The global options as typed. */
export interface GlobalOptions {
  readonly admin?: string;
  readonly output?: Output;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly color?: boolean;
  readonly ascii?: boolean;
  readonly timeout?: number;
}

export const DEFAULT_ADMIN = '127.0.0.1:9901';
export const DEFAULT_NAMESPACE = 'default';

/** What a command works with. */
export interface Session {
  readonly client: AdminClient;
  readonly terminal: Terminal;
  readonly output: Output;
  /** As given with -n. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly paint: Paint;
  readonly glyphs: Glyphs;
  /** Width of the terminal that somebody looks at; undefined where nobody does. */
  readonly columns: number | undefined;
  readonly now: number;
  print(text: string): void;
  /** A remark for the person, on standard error. */
  note(text: string): void;
  close(): Promise<void>;
}

export function openSession(options: GlobalOptions, terminal: Terminal): Session {
  const { stdout, stderr, env } = terminal;
  const tty = stdout.isTTY === true;
  const colour = options.color !== false && (env.NO_COLOR ?? '') === '' && tty;
  const output = options.output ?? 'table';
  const client = new AdminClient(
    adminAddress(options.admin ?? env.NOVAEDGE_ADMIN ?? DEFAULT_ADMIN),
    (options.timeout ?? 5) * 1000,
  );
  return {
    client,
    terminal,
    output,
    namespace: options.namespace,
    allNamespaces: options.allNamespaces === true,
    paint: painter(colour),
    glyphs: options.ascii === true || !showsUnicode(env) ? ASCII : UNICODE,
    columns: tty && output !== 'wide' ? stdout.columns : undefined,
    now: terminal.now(),
    print: (text) => void stdout.write(text),
    note: (text) => void stderr.write(`${text}\n`),
    close: () => client.close(),
  };
}

/** The namespace that a list is about; null is all of them. */
export function listNamespace(session: Session): string | null {
  return session.allNamespaces ? null : (session.namespace ?? DEFAULT_NAMESPACE);
}

function adminAddress(text: string): string {
  const address = text.replace(/^http:\/\//, '').replace(/\/$/, '');
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/.exec(address);
  if (match === null || Number(match[1]) > 65_535) {
    throw new CommandFailure(
      EXIT.usage,
      `admin address ${JSON.stringify(text)} is not HOST:PORT, for example ${DEFAULT_ADMIN}`,
    );
  }
  return address;
}
