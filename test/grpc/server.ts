import { EventEmitter, once } from 'node:events';
import type {
  ChannelOptions,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  EchoStatus,
  Empty,
  HealthRequest,
  HealthResponse,
  InputRequest,
  InputResponse,
  OutputRequest,
  OutputResponse,
  SimpleRequest,
  SimpleResponse,
} from './schema.ts';
import { healthService, interopService } from './schema.ts';

/** Fields that come back: with the answer's head, and with its trailers. */
export const ECHO_INITIAL = 'x-echo-initial';
export const ECHO_TRAILING = 'x-echo-trailing-bin';

export interface Backend {
  readonly port: number;
  /** Calls that have come. */
  readonly calls: number;
  /** Calls that the client, or whoever stands between, has taken back. */
  readonly cancelled: number;
  /** Resolves when `so many` have been. */
  untilCancelled(count: number): Promise<void>;
  untilCalled(count: number): Promise<void>;
  setHealth(health: HealthResponse['status']): void;
  /** No new calls (GOAWAY); resolves when those under way have ended. */
  shutdown(): Promise<void>;
  kill(): void;
}

interface Call {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
  on(event: 'cancelled', listener: () => void): unknown;
}

interface Writing {
  readonly cancelled: boolean;
  write(message: OutputResponse): boolean;
  once(event: 'drain' | 'cancelled', listener: () => void): unknown;
}

/** The services of `interop.proto` and `health.proto`, on a port of their own unless one is given. */
export async function startBackend(options: ChannelOptions = {}, port = 0): Promise<Backend> {
  const server = new Server(options);
  const events = new EventEmitter();
  events.setMaxListeners(0);
  const counts = { calls: 0, cancelled: 0 };
  let health: HealthResponse['status'] = 'SERVING';

  /** Counts the call and echoes metadata; returns what goes into its trailers. */
  const begin = (call: Call): Metadata => {
    counts.calls += 1;
    events.emit('call');
    call.on('cancelled', () => {
      counts.cancelled += 1;
      events.emit('cancelled');
    });
    const trailing = new Metadata();
    for (const value of call.metadata.get(ECHO_TRAILING)) trailing.add(ECHO_TRAILING, value);
    const initial = call.metadata.get(ECHO_INITIAL);
    if (initial.length > 0) {
      const head = new Metadata();
      for (const value of initial) head.add(ECHO_INITIAL, value);
      call.sendMetadata(head);
    }
    return trailing;
  };

  const until = async (event: 'call' | 'cancelled', reached: () => boolean): Promise<void> => {
    while (!reached()) await once(events, event);
  };

  server.addService(interopService, {
    emptyCall: (call: ServerUnaryCall<Empty, Empty>, answer: sendUnaryData<Empty>) => {
      answer(null, {}, begin(call));
    },
    unaryCall: (
      call: ServerUnaryCall<SimpleRequest, SimpleResponse>,
      answer: sendUnaryData<SimpleResponse>,
    ) => {
      const trailing = begin(call);
      const { responseSize, responseStatus } = call.request;
      if (responseStatus) {
        answer({ ...failure(responseStatus), metadata: trailing });
        return;
      }
      const deadline = Number(call.getDeadline());
      const deadlineLeft = Number.isFinite(deadline) ? deadline - Date.now() : 0;
      answer(null, { payload: { body: Buffer.alloc(responseSize ?? 0) }, deadlineLeft }, trailing);
    },
    streamingInputCall: (
      call: ServerReadableStream<InputRequest, InputResponse>,
      answer: sendUnaryData<InputResponse>,
    ) => {
      const trailing = begin(call);
      let size = 0;
      let ended = false;
      call.on('data', ({ payload, responseStatus }: InputRequest) => {
        if (ended) return;
        size += payload?.body.length ?? 0;
        if (!responseStatus) return;
        ended = true;
        answer({ ...failure(responseStatus), metadata: trailing });
      });
      call.on('end', () => {
        if (!ended) answer(null, { aggregatedPayloadSize: size }, trailing);
      });
      call.on('error', () => {});
    },
    streamingOutputCall: (call: ServerWritableStream<OutputRequest, OutputResponse>) => {
      const trailing = begin(call);
      void writeMessages(call, call.request).then(() => end(call, call.request.responseStatus, trailing));
    },
    fullDuplexCall: (call: ServerDuplexStream<OutputRequest, OutputResponse>) => {
      const trailing = begin(call);
      let writing = Promise.resolve();
      let ended = false;
      call.on('data', (request: OutputRequest) => {
        writing = writing.then(async () => {
          if (ended) return;
          await writeMessages(call, request);
          if (!request.responseStatus) return;
          ended = true;
          end(call, request.responseStatus, trailing);
        });
      });
      call.on('end', () => {
        void writing.then(() => {
          if (!ended) call.end(trailing);
        });
      });
      call.on('error', () => {});
    },
  });
  server.addService(healthService, {
    check: (call: ServerUnaryCall<HealthRequest, HealthResponse>, answer: sendUnaryData<HealthResponse>) => {
      begin(call);
      if (call.request.service === '') answer(null, { status: health });
      else answer({ code: status.NOT_FOUND, details: `no service ${call.request.service}` });
    },
    watch: (call: ServerWritableStream<HealthRequest, HealthResponse>) => {
      begin(call);
      const tell = (): void => void call.write({ status: health });
      tell();
      events.on('health', tell);
      call.on('cancelled', () => events.off('health', tell));
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) => {
      if (error === null) resolve(at);
      else reject(error);
    });
  });
  return {
    port: bound,
    get calls() {
      return counts.calls;
    },
    get cancelled() {
      return counts.cancelled;
    },
    untilCancelled: (count) => until('cancelled', () => counts.cancelled >= count),
    untilCalled: (count) => until('call', () => counts.calls >= count),
    setHealth: (next) => {
      health = next;
      events.emit('health');
    },
    shutdown: () =>
      new Promise((resolve, reject) => {
        server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
      }),
    kill: () => server.forceShutdown(),
  };
}

const failure = ({ code, message }: EchoStatus) => ({ code, details: message });

/** As fast as the client takes them. */
async function writeMessages(
  call: Writing,
  { responseSizes = [], payload, echo }: OutputRequest,
): Promise<void> {
  for (const size of responseSizes) {
    if (call.cancelled) return;
    const body = echo === true && payload ? payload.body : Buffer.alloc(size);
    if (!call.write({ payload: { body } }))
      await new Promise<void>((resolve) => {
        call.once('drain', resolve);
        call.once('cancelled', resolve);
      });
  }
}

function end(
  call:
    | ServerWritableStream<OutputRequest, OutputResponse>
    | ServerDuplexStream<OutputRequest, OutputResponse>,
  responseStatus: EchoStatus | null | undefined,
  trailing: Metadata,
): void {
  if (responseStatus) call.emit('error', { ...failure(responseStatus), metadata: trailing });
  else call.end(trailing);
}
