import { once } from 'node:events';
import type {
  CallOptions,
  ClientReadableStream,
  ClientUnaryCall,
  ServiceError,
  StatusObject,
} from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';

/** How a call has ended. */
export interface Ended<Response> {
  readonly code: number;
  readonly details: string;
  /** Fields of the answer's head. */
  readonly initial: Metadata;
  readonly trailing: Metadata;
  readonly messages: readonly Response[];
}

interface Asked {
  readonly metadata?: Metadata;
  readonly options?: CallOptions;
}

/** One answer; `begin` starts the call with the function that is told of it. */
function whenAnswered<Response, Call extends Pick<ClientUnaryCall, 'on'>>(
  begin: (answered: (error: ServiceError | null, response: Response | undefined) => void) => Call,
): { readonly call: Call; readonly ended: Promise<Ended<Response>> } {
  const messages: Response[] = [];
  let initial = new Metadata();
  let told = (): void => {};
  const answered = new Promise<void>((resolve) => {
    told = resolve;
  });
  const call = begin((_error, response) => {
    if (response !== undefined) messages.push(response);
    told();
  });
  call.on('metadata', (metadata: Metadata) => {
    initial = metadata;
  });
  const closed = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  const ended = Promise.all([closed, answered]).then(([{ code, details, metadata }]) => ({
    code,
    details,
    initial,
    trailing: metadata,
    messages,
  }));
  return { call, ended };
}

export function unary<Request, Response>(
  client: object,
  method: (
    request: Request,
    metadata: Metadata,
    options: CallOptions,
    answered: (error: ServiceError | null, response: Response | undefined) => void,
  ) => ClientUnaryCall,
  request: Request,
  { metadata = new Metadata(), options = {} }: Asked = {},
): Promise<Ended<Response>> {
  return whenAnswered<Response, ClientUnaryCall>((answered) =>
    method.call(client, request, metadata, options, answered),
  ).ended;
}

/** A call whose messages go in as they like and that has one answer. */
export { whenAnswered };

/** All messages of an answer, and how it ended. */
export function collect<Response>(call: ClientReadableStream<Response>): Promise<Ended<Response>> {
  const messages: Response[] = [];
  let initial = new Metadata();
  call.on('data', (message: Response) => messages.push(message));
  call.on('metadata', (metadata: Metadata) => {
    initial = metadata;
  });
  const over = new Promise<void>((resolve) => {
    call.on('end', resolve);
    call.on('error', () => resolve());
  });
  const closed = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  return Promise.all([closed, over]).then(([{ code, details, metadata }]) => ({
    code,
    details,
    initial,
    trailing: metadata,
    messages,
  }));
}

/** The next message; the call must still be under way. */
export async function next<Response>(call: ClientReadableStream<Response>): Promise<Response> {
  const [message] = (await once(call, 'data')) as [Response];
  return message;
}
