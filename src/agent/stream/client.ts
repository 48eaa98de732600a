import { type ChannelCredentials, Client, type ClientDuplexStream } from '@grpc/grpc-js';
import type { NodeReport } from '../../model/report.ts';
import type { ObjectFailure, SnapshotChanges, SnapshotVersion } from '../../model/snapshot.ts';
import { addressOptions } from '../../os/credentials.ts';
import { type AgentHello, type AgentMessage, encodeAgentMessage } from '../../wire/snapshot/agent-message.ts';
import { ResourceError } from '../../wire/snapshot/resource.ts';
import {
  AGENT_MESSAGE_LIMIT,
  CONFIG_STREAM_PATH,
  CONTROLLER_MESSAGE_LIMIT,
  STREAM_OPTIONS,
} from '../../wire/snapshot/stream-options.ts';
import { fromUpdateParts, peekFrame } from '../../wire/snapshot/update.ts';
import { endReason } from './reason.ts';

export type StreamEvent =
  /** The controller has taken the hello. */
  | { readonly type: 'connected' }
  | {
      readonly type: 'update';
      readonly nonce: number;
      readonly changes: SnapshotChanges;
      readonly bytes: number;
    }
  /** Once for each `connect`, and the last event of it. */
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'report.requested' };

/** One connection at a time; makes none by itself. What is sent while there is none is dropped. */
export interface ConfigStreamClient {
  /** Ends the connection before, if there is one, without a word. */
  connect(hello: AgentHello): void;
  ack(nonce: number, version: SnapshotVersion): void;
  /** `refused`: the update was not applied at all, the controller is to send the whole snapshot. */
  nack(nonce: number, version: SnapshotVersion, failures: readonly ObjectFailure[], refused: boolean): void;
  /** While one report is on its way, only the newest of those that follow is kept. */
  report(report: NodeReport): void;
  /** No event follows. */
  close(): void;
}

export interface ConfigStreamClientOptions {
  /** `HOST:PORT` or `unix:/path` */
  readonly address: string;
  /** Of `os/credentials`, which check the certificate against an IP address too. */
  readonly credentials: ChannelCredentials;
  readonly onEvent: (event: StreamEvent) => void;
  /** Decodes updates above 256 KiB, in another thread; `fromUpdateParts` there. */
  readonly decode?: (parts: readonly Uint8Array[]) => Promise<SnapshotChanges>;
  /** An update that could not be decoded has been refused towards the controller, which sends the whole snapshot. */
  readonly onRefused?: (reason: string) => void;
}

const DECODE_ELSEWHERE_BYTES = 256 * 1024;
/** From connect until the controller has taken the hello. */
const CONNECT_TIMEOUT_MS = 10_000;
const FLOW_CONTROL_WINDOW = 2 * 1024 * 1024;
const UPDATE_BYTES_MAX = 1024 * 1024 * 1024;

type Call = ClientDuplexStream<AgentMessage, Buffer>;

export function createConfigStreamClient(options: ConfigStreamClientOptions): ConfigStreamClient {
  let connection: Connection | undefined;
  return {
    connect(hello) {
      connection?.end();
      connection = new Connection(options, hello);
    },
    ack: (nonce, version) => connection?.send({ type: 'ack', nonce, version }),
    nack: (nonce, version, failures, refused) =>
      connection?.send({ type: 'nack', nonce, version, failures, refused }),
    report: (report) => connection?.report(report),
    close() {
      connection?.end();
      connection = undefined;
    },
  };
}

class Connection {
  readonly #options: ConfigStreamClientOptions;
  readonly #client: Client;
  readonly #call: Call;
  readonly #connectTimer: NodeJS.Timeout;
  #open = true;
  #connected = false;
  #parts: Buffer[] = [];
  #bytes = 0;
  #reporting = false;
  #nextReport: NodeReport | undefined;

  constructor(options: ConfigStreamClientOptions, hello: AgentHello) {
    this.#options = options;
    // A channel of its own: a shared one would refuse calls while it waits for its own next attempt.
    this.#client = new Client(options.address, options.credentials, {
      ...STREAM_OPTIONS,
      ...addressOptions(options.address),
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      // A part arrives in one go also where the way is long.
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
      'grpc.max_receive_message_length': CONTROLLER_MESSAGE_LIMIT,
      'grpc.max_send_message_length': AGENT_MESSAGE_LIMIT,
    });
    this.#call = this.#client.makeBidiStreamRequest<AgentMessage, Buffer>(
      CONFIG_STREAM_PATH,
      encodeAgentMessage,
      (bytes) => bytes,
    );
    this.#connectTimer = setTimeout(
      () => this.#fail(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`),
      CONNECT_TIMEOUT_MS,
    );
    this.#call.on('metadata', () => this.#greeted());
    this.#call.on('data', (frame: Buffer) => this.#receive(frame));
    // What it says also stands in the status.
    this.#call.on('error', () => {});
    this.#call.on('status', ({ code, details }) => this.#fail(endReason(code, details)));
    this.send({ type: 'hello', hello });
  }

  send(message: AgentMessage, written?: () => void): void {
    if (this.#open) this.#call.write(message, written);
  }

  report(report: NodeReport): void {
    if (this.#reporting) {
      this.#nextReport = report;
      return;
    }
    this.#reporting = true;
    this.send({ type: 'report', report }, () => {
      this.#reporting = false;
      const next = this.#nextReport;
      this.#nextReport = undefined;
      if (next !== undefined) this.report(next);
    });
  }

  /** Without an event. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#connectTimer);
    this.#parts = [];
    this.#call.cancel();
    this.#client.close();
  }

  #fail(reason: string): void {
    if (!this.#open) return;
    this.end();
    this.#options.onEvent({
      type: 'disconnected',
      reason: `${this.#connected ? '' : 'not connected: '}controller ${this.#options.address}: ${reason}`,
    });
  }

  #greeted(): void {
    if (!this.#open || this.#connected) return;
    this.#connected = true;
    clearTimeout(this.#connectTimer);
    this.#options.onEvent({ type: 'connected' });
  }

  #receive(bytes: Buffer): void {
    if (!this.#open) return;
    let frame: ReturnType<typeof peekFrame>;
    try {
      frame = peekFrame(bytes);
    } catch (error) {
      this.#fail(`a message is malformed (${(error as Error).message})`);
      return;
    }
    if (frame.type === 'report.requested') this.#options.onEvent(frame);
    if (frame.type !== 'update') return;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > UPDATE_BYTES_MAX) {
      this.#fail(`an update is larger than ${UPDATE_BYTES_MAX} bytes`);
    } else if (frame.lastPart) {
      const parts = this.#parts;
      const size = this.#bytes;
      this.#parts = [];
      this.#bytes = 0;
      void this.#update(frame.nonce, parts, size);
    }
  }

  async #update(nonce: number, parts: readonly Buffer[], bytes: number): Promise<void> {
    const { decode, onEvent, onRefused } = this.#options;
    let changes: SnapshotChanges;
    try {
      changes =
        decode !== undefined && bytes > DECODE_ELSEWHERE_BYTES ? await decode(parts) : fromUpdateParts(parts);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const key = error instanceof ResourceError ? error.key : '';
      this.send({
        type: 'nack',
        nonce,
        version: '',
        failures: [{ key, reason: 'DecodeFailed', message }],
        refused: true,
      });
      if (this.#open) onRefused?.(message);
      return;
    }
    if (this.#open) onEvent({ type: 'update', nonce, changes, bytes });
  }
}
