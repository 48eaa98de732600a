import type { KeyKind } from '../certificate.ts';

export type Protocol = 'HTTP1' | 'HTTP2';

/** What makes the load; see bench/load. */
export type Loader = 'wrk' | 'h2load' | 'handshakes' | 'resumptions' | 'grpc-stream' | 'websocket';

/** One kind of load. */
export interface Work {
  readonly name: string;
  readonly help: string;
  /** What is counted, and CPU is divided by. `handshake` is one connection with one request; `MB` 10^6 bytes. */
  readonly unit: 'request' | 'handshake' | 'call' | 'message' | 'MB';
  readonly loader: Loader;
  /** What clients speak. */
  readonly client: Protocol;
  /** Key of the certificate that is shown to clients, or null: clear text. */
  readonly tls: KeyKind | null;
  /** What backends speak, always clear text. */
  readonly backend: Protocol;
  readonly content: 'HTTP' | 'gRPC' | 'WebSocket';
  readonly connections: number;
  /** Requests or calls under way at once on each connection. */
  readonly streams: number;
  readonly path: string;
  /** Request headers beside Host. */
  readonly headers: Readonly<Record<string, string>>;
  readonly method: 'GET' | 'POST';
  /** Bytes of the request body. */
  readonly body: number;
  /** How many routes are configured; one of them is asked for. */
  readonly routes: number;
  /** The path is followed by a number from 1 to this, one after the other; 0: it is not. */
  readonly spread: number;
  /** Workers of the proxy; with more than one, all cores are shared by proxies, load and backend. */
  readonly workers: number;
  readonly accessLog: boolean;
  /** `half`: as many requests a second as half of what NovaEdge can do; `whole`: as many as it takes. */
  readonly load: 'whole' | 'half';
  /** What NovaEdge's CPU may be of a peer's. */
  readonly targets: { readonly nginx?: number; readonly haproxy?: number };
}

export const SMALL: Work = {
  name: 'h1-keepalive-small',
  help: '64 keep-alive connections, GET, body of 13 bytes',
  unit: 'request',
  loader: 'wrk',
  client: 'HTTP1',
  tls: null,
  backend: 'HTTP1',
  content: 'HTTP',
  connections: 64,
  streams: 1,
  path: '/',
  headers: {},
  method: 'GET',
  body: 0,
  routes: 1,
  spread: 0,
  workers: 1,
  accessLog: false,
  load: 'whole',
  targets: {},
};
