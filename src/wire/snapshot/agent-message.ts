import type { NodeReport } from '../../model/report.ts';
import type { ObjectFailure, SnapshotVersion } from '../../model/snapshot.ts';
import type { AgentMessage as Encoded } from './generated/novaedge/v1/AgentMessage.ts';
import { messageTypes, type Sparse } from './schema.ts';

/** What an agent sends first on each connection. */
export interface AgentHello {
  readonly node: string;
  readonly agentVersion: string;
  /** Of the whole snapshot it holds; empty: none. */
  readonly snapshotVersion: SnapshotVersion;
  readonly labels: Readonly<Record<string, string>>;
}

/** Agent to controller. */
export type AgentMessage =
  | { readonly type: 'hello'; readonly hello: AgentHello }
  | { readonly type: 'ack'; readonly nonce: number; readonly version: SnapshotVersion }
  | {
      readonly type: 'nack';
      readonly nonce: number;
      readonly version: SnapshotVersion;
      readonly failures: readonly ObjectFailure[];
      readonly refused: boolean;
    }
  | { readonly type: 'report'; readonly report: NodeReport }
  /** Of a newer agent, or a report that is not one. */
  | { readonly type: 'unknown'; readonly why: string };

export function encodeAgentMessage(message: AgentMessage): Buffer {
  return messageTypes.agentMessage.encode(toMessage(message)).finish() as Buffer;
}

/** @throws Error where the bytes are malformed. */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage {
  const { hello, ack, nack, report } = messageTypes.agentMessage.decode(bytes);
  if (hello) {
    return {
      type: 'hello',
      hello: {
        node: hello.node,
        agentVersion: hello.agentVersion,
        snapshotVersion: hello.snapshotVersion,
        labels: { ...hello.labels },
      },
    };
  }
  if (ack) return { type: 'ack', nonce: Number(ack.nonce), version: ack.version };
  if (nack) {
    return {
      type: 'nack',
      nonce: Number(nack.nonce),
      version: nack.version,
      failures: nack.failures.map(({ key, reason, message, event }) =>
        event === '' ? { key, reason, message } : { key, reason, message, event },
      ),
      refused: nack.refused,
    };
  }
  if (report) return parseReport(report.json);
  return { type: 'unknown', why: 'the type of the message is not known' };
}

function toMessage(message: AgentMessage): Sparse<Encoded> {
  switch (message.type) {
    case 'hello':
      return { hello: message.hello };
    case 'ack':
      return { ack: { nonce: message.nonce, version: message.version } };
    case 'nack': {
      const { nonce, version, failures, refused } = message;
      return { nack: { nonce, version, failures, refused } };
    }
    case 'report':
      return { report: { json: Buffer.from(JSON.stringify(message.report)) } };
    case 'unknown':
      return {};
  }
}

/** A report is figures for people: a bad one is no reason to end a stream. */
function parseReport(json: Uint8Array | string): AgentMessage {
  let report: unknown;
  try {
    report = JSON.parse(Buffer.from(json as Uint8Array).toString());
  } catch (error) {
    return { type: 'unknown', why: `a report is not JSON (${(error as Error).message})` };
  }
  const lists = ['failures', 'listeners', 'clusters', 'endpoints', 'actors'];
  const isReport =
    typeof report === 'object' &&
    report !== null &&
    lists.every((list) => Array.isArray((report as Record<string, unknown>)[list]));
  if (!isReport) return { type: 'unknown', why: `a report has no lists of ${lists.join(', ')}` };
  const { detail } = report as NodeReport;
  return {
    type: 'report',
    report: { ...(report as NodeReport), detail: detail === 'summary' ? 'summary' : 'whole' },
  };
}
