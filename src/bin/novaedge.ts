import { availableParallelism, hostname } from 'node:os';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createLogger } from '../observe/logger.ts';
import { runAgent } from './agent.ts';
import { certificates } from './certificates.ts';
import { runController } from './controller.ts';
import { runDemo } from './demo.ts';
import { EXIT } from './exit-code.ts';
import { runStandalone } from './standalone.ts';

const program = new Command('novaedge')
  .description('L4/L7 proxy, ingress controller and VIP speaker on supervised, replayable actors')
  .exitOverride()
  .showHelpAfterError('(novaedge COMMAND --help shows what it takes)');

const wholeNumber = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 256)
    throw new InvalidArgumentError('a whole number from 1 to 256 is needed.');
  return value;
};
/** Milliseconds. */
const duration = (text: string) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('a duration such as 500ms, 10s or 2m is needed.');
  return Number(match[1]) * { ms: 1, s: 1_000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
};
/** Mebibytes. */
const memory = (text: string) => {
  const match = /^(\d+)([MG])i?$/.exec(text);
  const value = match === null ? 0 : Number(match[1]) * (match[2] === 'G' ? 1_024 : 1);
  if (value < 32 || value > 65_536)
    throw new InvalidArgumentError('a size such as 512M or 2G is needed, from 32M to 64G.');
  return value;
};
const restartLimit = (text: string) => {
  const [restarts, within, ...rest] = text.split('/');
  if (within === undefined || rest.length > 0)
    throw new InvalidArgumentError('COUNT/DURATION is needed, such as 5/30s.');
  return { restarts: wholeNumber(restarts!), withinMs: duration(within) };
};
const labels = (text: string) =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const [name, value, ...rest] = pair.split('=');
      if (!name || value === undefined || rest.length > 0)
        throw new InvalidArgumentError('name=value[,name=value…] is needed.');
      return [name, value];
    }),
  );
const hostPort = (text: string) => {
  if (
    !/^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):\d{1,5}$/.test(text) ||
    Number(text.slice(text.lastIndexOf(':') + 1)) > 65_535
  ) {
    throw new InvalidArgumentError('HOST:PORT is needed, with an IPv6 address in brackets.');
  }
  return text;
};

const logLevel = () =>
  new Option('--log-level <level>', 'least level that is logged')
    .choices(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info');
const logFormat = () =>
  new Option('--log-format <format>', 'text on a terminal, else json').choices(['text', 'json']);

function withAgentOptions(command: Command): Command {
  return command
    .option('--bind <address>', 'address that listeners bind (default: all)')
    .option('--workers <n>', 'dataplane worker threads', wholeNumber, availableParallelism())
    .option(
      '--worker-memory <size>',
      "most memory of each worker's heap (default: half of what the process may use, shared by the workers)",
      memory,
    )
    .option(
      '--worker-restarts <count/duration>',
      'failures of one worker that are forgiven in that time before it is left out for 30s (default: 5/30s)',
      restartLimit,
    )
    .option('--access-log <file>', 'a JSON line for each request; - is standard output (default: none)')
    .addOption(
      new Option('--drain-timeout <duration>', 'how long requests in flight may take when stopping')
        .argParser(duration)
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--journal <mode>', 'off: what happens cannot be replayed or explained afterwards')
        .choices(['on', 'off'])
        .default('on'),
    );
}

function withTransportOptions(command: Command): Command {
  return command
    .option('--ca <file>', 'CA certificate that the other side is checked with')
    .option('--cert <file>', 'own certificate')
    .option('--key <file>', "own certificate's key")
    .option(
      '--insecure',
      'plaintext beyond loopback: anybody on the way can read and change the configuration',
      false,
    );
}

withAgentOptions(
  program
    .command('standalone')
    .description('controller, agent and data plane in one process, from a directory of manifests')
    .requiredOption('--config <directory>', 'directory of Kubernetes YAML; watched')
    .requiredOption('--data <directory>', 'directory for the last good configuration and the journal'),
)
  .option('--node <name>', 'name of this node', hostname())
  .option('--labels <pairs>', 'labels of this node, name=value,…', labels)
  .option('--admin <host:port>', 'admin API and metrics', hostPort, '127.0.0.1:9901')
  .addOption(logLevel())
  .addOption(logFormat())
  .action((options) =>
    runStandalone(options, createLogger({ level: options.logLevel, format: options.logFormat })),
  );

withTransportOptions(
  program
    .command('controller')
    .description('turns manifests into configuration and streams it to agents')
    .requiredOption('--config <directory>', 'directory of Kubernetes YAML; watched')
    .option(
      '--data <directory>',
      'directory for the last good objects (default: none are kept over a restart)',
    )
    .option('--listen <host:port>', 'address for agents', hostPort, '127.0.0.1:9900'),
)
  .option('--admin <host:port>', 'admin API and metrics', hostPort, '127.0.0.1:9902')
  .addOption(logLevel())
  .addOption(logFormat())
  .action((options) =>
    runController(options, createLogger({ level: options.logLevel, format: options.logFormat })),
  );

withTransportOptions(
  withAgentOptions(
    program
      .command('agent')
      .description('serves traffic with the configuration of a controller')
      .requiredOption('--node <name>', 'name of this node')
      .requiredOption('--controller <host:port>', 'address of the controller', hostPort)
      .requiredOption('--data <directory>', 'directory for the last good configuration and the journal'),
  ),
)
  .option('--labels <pairs>', 'labels of this node, name=value,…', labels)
  .option('--admin <host:port>', 'admin API and metrics', hostPort, '127.0.0.1:9901')
  .addOption(logLevel())
  .addOption(logFormat())
  .action((options) =>
    runAgent(options, createLogger({ level: options.logLevel, format: options.logFormat })),
  );

program
  .command('certs')
  .description('makes a CA, a server and a client certificate for controller and agents')
  .requiredOption('--out <directory>', 'where ca, server and client .crt and .key go')
  .option(
    '--host <name>',
    'name or address of the controller; may be repeated',
    (host: string, all: string[]) => [...all, host],
    [] as string[],
  )
  .option(
    '--days <n>',
    'days until the certificates expire',
    (text) => {
      const days = Number(text);
      if (!Number.isInteger(days) || days < 1 || days > 3650)
        throw new InvalidArgumentError('a whole number from 1 to 3650 is needed.');
      return days;
    },
    365,
  )
  .option('--force', 'replace files that exist', false)
  .action(certificates);

program
  .command('demo')
  .description('the standalone system on deploy/samples with three small backends')
  .option('--admin <host:port>', 'admin API and metrics', hostPort, '127.0.0.1:9901')
  .addOption(logLevel())
  .addOption(logFormat())
  .action((options) =>
    runDemo(options, createLogger({ level: options.logLevel, format: options.logFormat })),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
