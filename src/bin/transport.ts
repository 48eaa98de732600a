import type { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import {
  CredentialsError,
  channelCredentials,
  type Reloadable,
  serverCredentials,
} from '../os/credentials.ts';
import { StartError } from './exit-code.ts';

/** What the user gave to secure the stream between controller and agents. */
export interface TransportOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure: boolean;
}

export function serverTransport(
  { ca, cert, key, insecure }: TransportOptions,
  address: string,
): Reloadable<ServerCredentials> {
  return orStartError(() => serverCredentials({ address, files: { ca, cert, key }, insecure }));
}

export function clientTransport(
  { ca, cert, key, insecure }: TransportOptions,
  address: string,
): Reloadable<ChannelCredentials> {
  return orStartError(() => channelCredentials({ address, files: { ca, cert, key }, insecure }));
}

function orStartError<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CredentialsError) throw new StartError(error.message);
    throw error;
  }
}
