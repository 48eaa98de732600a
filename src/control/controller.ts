import { channel } from 'node:diagnostics_channel';
import { type ServerCredentials, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { ControllerAdmin } from '../model/admin.ts';
import { CHANNELS, type Pushed } from '../model/channel.ts';
import type { ConfigurationBuild, ConfigurationSource } from '../model/configuration.ts';
import { type AgentMessage, decodeAgentMessage } from '../wire/snapshot/agent-message.ts';
import { controllerAdmin } from './admin.ts';
import { Fleet } from './fleet.ts';
import { listen } from './listen.ts';
import type { ControlledNode, NodeSurroundings } from './node.ts';
import { SendableResources } from './sendable.ts';
import { type Call, Session } from './session.ts';

export interface ControllerOptions {
  /** Is started and stopped with the controller. */
  readonly source: ConfigurationSource;
  /** `HOST:PORT` (port 0 takes a free one) or `unix:/path` */
  readonly listen: string;
  readonly credentials: ServerCredentials;
  readonly logger: Logger;
  /** Pause in ms before the whole snapshot is sent again after the n-th refusal in a row. */
  readonly refusalBackoff?: (refusals: number) => number;
}

export interface ControllerHandle {
  /** `HOST:PORT` with the port that was bound, or `unix:/path`. */
  readonly address: string;
  readonly admin: ControllerAdmin;
  /** Tells the agents, which serve on, and stops the source. */
  stop(): Promise<void>;
}

const HELLO_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 1000;

/** 1 s, 2 s, 4 s … 60 s. */
function doubling(refusals: number): number {
  return Math.min(60_000, 1000 * 2 ** Math.min(refusals - 1, 10));
}

/**
 * Reads the configuration for the first time, then serves it to agents and follows it.
 * @throws Error where the source cannot start or the address cannot be bound; nothing is left running.
 */
export async function startController(options: ControllerOptions): Promise<ControllerHandle> {
  const { source, logger } = options;
  await source.start();
  // Not what start() gave: a build may have come since, and no later one is missed from here on.
  const sendable = new SendableResources(source.current());
  const clock = { changedAt: Date.now(), stopping: false };
  let nonce = 0;
  const around: NodeSurroundings = {
    sendable,
    now: Date.now,
    nonce: () => {
      nonce += 1;
      return nonce;
    },
    published,
    backoff: options.refusalBackoff ?? doubling,
  };
  logUnsendable(logger, sendable);
  const fleet = new Fleet(sendable, around);
  const unsubscribe = source.subscribe((build: ConfigurationBuild) => {
    clock.changedAt = Date.now();
    fleet.follow(build, sendable.take(build));
    logUnsendable(logger, sendable);
  });

  try {
    const listening = await listen(options.listen, options.credentials, (call) => {
      if (clock.stopping) new Session(call).close(status.UNAVAILABLE, 'the controller is stopping');
      else serve(call, fleet, logger, clock);
    });
    logger.info({ address: listening.address }, 'controller listens');
    return {
      address: listening.address,
      admin: controllerAdmin(fleet, sendable, clock),
      async stop() {
        clock.stopping = true;
        unsubscribe();
        for (const node of fleet.connected) {
          node.session?.close(status.UNAVAILABLE, 'the controller is stopping');
        }
        fleet.stop();
        await listening.close(STOP_GRACE_MS);
        await source.stop();
      },
    };
  } catch (error) {
    unsubscribe();
    await source.stop();
    throw error;
  }
}

/** One connection, from hello to end. */
function serve(call: Call, fleet: Fleet, logger: Logger, clock: { changedAt: number }): void {
  const session = new Session(call);
  let node: ControlledNode | undefined;
  const helloTimer = setTimeout(
    () => session.close(status.DEADLINE_EXCEEDED, `no hello within ${HELLO_TIMEOUT_MS / 1000} s`),
    HELLO_TIMEOUT_MS,
  );
  const ended = (): void => {
    clearTimeout(helloTimer);
    session.ended();
    if (node === undefined || node.session !== session) return;
    clock.changedAt = Date.now();
    node.disconnected(session);
    logger.info({ node: node.name, peer: session.peer }, 'agent disconnected');
  };
  call.on('cancelled', ended);
  call.on('close', ended);
  call.on('error', ended);
  call.on('end', () => {
    if (session.open) call.end();
    ended();
  });
  call.on('data', (bytes: Buffer) => {
    if (!session.open) return;
    let message: AgentMessage;
    try {
      message = decodeAgentMessage(bytes);
    } catch (error) {
      session.close(status.INVALID_ARGUMENT, `a message is malformed: ${(error as Error).message}`);
      return;
    }
    if (message.type === 'hello') {
      clearTimeout(helloTimer);
      if (node === undefined) node = greet(session, message.hello, fleet, logger);
      else session.close(status.INVALID_ARGUMENT, 'a second hello on one connection');
    } else if (node === undefined) {
      session.close(status.FAILED_PRECONDITION, `the first message is ${message.type}, not hello`);
    } else {
      answer(node, message, logger);
    }
  });
}

function greet(
  session: Session,
  hello: Extract<AgentMessage, { type: 'hello' }>['hello'],
  fleet: Fleet,
  logger: Logger,
): ControlledNode | undefined {
  if (hello.node === '') {
    session.close(status.INVALID_ARGUMENT, 'the hello names no node');
    return undefined;
  }
  const older = fleet.node(hello.node)?.session;
  session.greet();
  const node = fleet.connect(session, hello);
  logger.info(
    { node: hello.node, peer: session.peer, agentVersion: hello.agentVersion, holds: hello.snapshotVersion },
    'agent connected',
  );
  if (older !== undefined) {
    const why = `another agent connected as node "${hello.node}" from ${session.peer}; the newest connection is served`;
    logger.warn({ node: hello.node, older: older.peer, newer: session.peer }, why);
    older.close(status.ABORTED, why);
  }
  return node;
}

function answer(node: ControlledNode, message: AgentMessage, logger: Logger): void {
  let expected = true;
  switch (message.type) {
    case 'ack':
      expected = node.ack(message.nonce, message.version);
      break;
    case 'nack':
      expected = message.refused
        ? node.refuse(message.nonce, message.failures)
        : node.nack(message.nonce, message.version, message.failures);
      if (expected) {
        const said = message.refused
          ? 'agent refused an update; it gets the whole snapshot'
          : 'agent cannot put all objects in use';
        logger.warn({ node: node.name, version: message.version, failures: message.failures }, said);
      }
      break;
    case 'report':
      node.reported(message.report);
      break;
    case 'unknown':
      logger.warn({ node: node.name, why: message.why }, 'a message of the agent was ignored');
      break;
  }
  if (!expected && 'nonce' in message) {
    logger.warn({ node: node.name, nonce: message.nonce }, 'an answer to no update on its way was ignored');
  }
}

const pushed = channel(CHANNELS.pushed);

function published(node: ControlledNode, result: Pushed['result'], bytes: number): void {
  if (pushed.hasSubscribers) pushed.publish({ node: node.name, result, bytes } satisfies Pushed);
}

function logUnsendable(logger: Logger, sendable: SendableResources): void {
  for (const [key, why] of sendable.failures) logger.error({ key }, `cannot be sent to nodes: ${why}`);
}
