import { fileURLToPath } from 'node:url';
import type {
  CallOptions,
  ChannelOptions,
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
  Metadata,
  ServiceError,
} from '@grpc/grpc-js';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';

export interface Payload {
  readonly body: Buffer;
}
export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}
export type Empty = Record<string, never>;
export interface SimpleRequest {
  readonly responseSize?: number;
  readonly payload?: Payload | null;
  readonly responseStatus?: EchoStatus | null;
}
export interface SimpleResponse {
  readonly payload?: Payload | null;
  readonly deadlineLeft?: number;
}
export interface InputRequest {
  readonly payload?: Payload | null;
  readonly responseStatus?: EchoStatus | null;
}
export interface InputResponse {
  readonly aggregatedPayloadSize: number;
}
export interface OutputRequest {
  readonly responseSizes?: readonly number[];
  readonly payload?: Payload | null;
  readonly responseStatus?: EchoStatus | null;
  readonly echo?: boolean;
}
export interface OutputResponse {
  readonly payload: Payload;
}
export interface HealthRequest {
  readonly service: string;
}
export interface HealthResponse {
  readonly status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  answered: (error: ServiceError | null, response: Response | undefined) => void,
) => ClientUnaryCall;

export interface InteropClient extends Client {
  readonly emptyCall: Unary<Empty, Empty>;
  readonly unaryCall: Unary<SimpleRequest, SimpleResponse>;
  readonly unimplementedCall: Unary<Empty, Empty>;
  streamingInputCall(
    metadata: Metadata,
    options: CallOptions,
    answered: (error: ServiceError | null, response: InputResponse | undefined) => void,
  ): ClientWritableStream<InputRequest>;
  streamingOutputCall(
    request: OutputRequest,
    metadata?: Metadata,
    options?: CallOptions,
  ): ClientReadableStream<OutputResponse>;
  fullDuplexCall(
    metadata?: Metadata,
    options?: CallOptions,
  ): ClientDuplexStream<OutputRequest, OutputResponse>;
}

export interface UnimplementedClient extends Client {
  readonly unimplementedCall: Unary<Empty, Empty>;
}

export interface HealthClient extends Client {
  readonly check: Unary<HealthRequest, HealthResponse>;
  watch(request: HealthRequest): ClientReadableStream<HealthResponse>;
}

const definition = loadSync(
  ['interop.proto', 'health.proto'].map((file) => fileURLToPath(new URL(file, import.meta.url))),
  { longs: Number, enums: String, defaults: true },
);

export const interopService = definition['novaedge.interop.TestService'] as ServiceDefinition;
export const healthService = definition['grpc.health.v1.Health'] as ServiceDefinition;

type Constructor<T> = new (
  address: string,
  channelCredentials: ReturnType<typeof credentials.createInsecure>,
  options: ChannelOptions,
) => T;
const constructors = loadPackageDefinition(definition) as unknown as {
  readonly novaedge: {
    readonly interop: {
      readonly TestService: Constructor<InteropClient>;
      readonly UnimplementedService: Constructor<UnimplementedClient>;
    };
  };
  readonly grpc: { readonly health: { readonly v1: { readonly Health: Constructor<HealthClient> } } };
};

/** Clients of 127.0.0.1, each with connections of its own. */
function connectAs<T>(type: Constructor<T>, port: number, options: ChannelOptions): T {
  return new type(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 10,
    'grpc.max_reconnect_backoff_ms': 50,
    ...options,
  });
}

export const interopClient = (port: number, options: ChannelOptions = {}): InteropClient =>
  connectAs(constructors.novaedge.interop.TestService, port, options);
export const unimplementedClient = (port: number): UnimplementedClient =>
  connectAs(constructors.novaedge.interop.UnimplementedService, port, {});
export const healthClient = (port: number): HealthClient =>
  connectAs(constructors.grpc.health.v1.Health, port, {});
