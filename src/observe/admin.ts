import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import type { AgentAdmin, ControllerAdmin, Readiness } from '../model/admin.ts';
import { type AdminSubjects, answerApi, servingResources } from './admin-api.ts';
import { type Answer, failure, text, write } from './answer.ts';
import { hostWithoutPort, isAllowedHost } from './host-check.ts';
import type { Metrics } from './metrics.ts';
import { nearestNames } from './nearest.ts';

export interface AdminOptions {
  /** `HOST:PORT`, `[::1]:PORT`; port 0 takes a free one. */
  readonly listen: string;
  readonly metrics: Metrics;
  /** Of the program. */
  readonly version: string;
  readonly controller?: ControllerAdmin | undefined;
  readonly agent?: AgentAdmin | undefined;
  /** More names that the Host header may carry, for example of a Kubernetes Service. */
  readonly hosts?: readonly string[] | undefined;
  /** A client has this long for its request's head; 5,000 unless given. */
  readonly headersTimeoutMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

export interface AdminServer {
  /** `127.0.0.1:9901`, with the port that was taken. */
  readonly address: string;
  close(): Promise<void>;
}

const ENDPOINTS: Readonly<Record<string, string>> = {
  '/metrics': 'metrics in the Prometheus text format',
  '/healthz': '200 while this process answers',
  '/readyz': '200 when it does its work, else 503 and why not',
  '/config_dump': 'the resources that serve, secrets redacted',
  '/api/v1/info': 'version and roles of this process',
  '/api/v1/objects': 'objects with conditions and problems (?kind= &namespace= &name=)',
  '/api/v1/objects/KIND/NAMESPACE/NAME': 'one of them (_ for no namespace)',
  '/api/v1/problems': 'what is wrong in the configuration, or is not in use on its nodes',
  '/api/v1/nodes': 'nodes and their last reports (?node=)',
  '/api/v1/actors': 'actors of each node (?node=)',
  '/api/v1/stats': 'figures of each node (?node=)',
  '/api/v1/resources': 'the resources that serve (?kind=)',
};

/**
 * Starts the admin server: for people, probes, Prometheus and novactl. It only reads: methods other than GET and
 * HEAD are refused. Rejects with the system's error (`code` EADDRINUSE, EACCES, …) where it cannot listen, and with
 * a RangeError where `listen` is not HOST:PORT.
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { host, port } = parseListen(options.listen);
  const names = new Set([host, ...(options.hosts ?? [])].map((name) => name.toLowerCase()));
  const subjects: AdminSubjects = {
    version: options.version,
    controller: options.controller,
    agent: options.agent,
  };
  const server = createServer({
    headersTimeout: options.headersTimeoutMs ?? 5_000,
    requestTimeout: Math.max(10_000, options.headersTimeoutMs ?? 0),
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 500,
    maxHeaderSize: 16 * 1024,
  });
  server.maxConnections = 512;
  server.on('request', (request, response) => {
    respond(options, subjects, names, request, response).catch((error: unknown) => {
      options.logger?.debug({ err: error, url: request.url }, 'admin answer cut short');
      response.destroy();
    });
  });
  server.on('clientError', answerClientError);
  await listening(server, host, port);
  const bound = server.address() as AddressInfo;
  return {
    address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: () => closed(server),
  };
}

async function respond(
  options: AdminOptions,
  subjects: AdminSubjects,
  names: ReadonlySet<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: Answer;
  try {
    answer = refuse(names, request) ?? (await route(options, subjects, request));
  } catch (error) {
    options.logger?.error({ err: error, url: request.url }, 'admin request failed');
    answer = failure(500, { error: 'InternalError', message: 'this request failed; the log says why' });
  }
  await write(request, response, answer);
}

function refuse(names: ReadonlySet<string>, request: IncomingMessage): Answer | null {
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) {
    return failure(400, { error: 'BadRequest', message: 'more than one Host header' });
  }
  const { host } = request.headers;
  const authority = /^https?:\/\/([^/?#]*)/i.exec(request.url ?? '')?.[1] ?? host;
  // HTTP/1.0 without Host: no browser speaks it.
  if (
    authority !== undefined &&
    !isAllowedHost(authority, { names, localAddress: request.socket.localAddress })
  ) {
    return failure(421, {
      error: 'HostNotAllowed',
      message: `the Host header ${JSON.stringify(authority.slice(0, 100))} is not a name of this server: use its address`,
    });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return failure(
      405,
      { error: 'MethodNotAllowed', message: `${request.method} is not allowed: the admin server only reads` },
      { allow: 'GET, HEAD' },
    );
  }
  return null;
}

async function route(
  options: AdminOptions,
  subjects: AdminSubjects,
  request: IncomingMessage,
): Promise<Answer> {
  const url = URL.parse(request.url ?? '/', 'http://admin.invalid');
  const path = url === null ? null : decodedSegments(url.pathname);
  if (url === null || path === null) {
    return failure(400, { error: 'BadRequest', message: 'the request target is not a valid URL' });
  }
  switch (`/${path.join('/')}`) {
    case '/':
      return text(200, indexText(options.version));
    case '/healthz':
      return text(200, 'ok\n');
    case '/readyz':
      return readinessAnswer(subjects);
    case '/metrics': {
      const { metrics } = options;
      return { type: 'text', status: 200, contentType: metrics.contentType, body: await metrics.render() };
    }
    case '/config_dump': {
      const { source, resources } = servingResources(subjects);
      return { type: 'list', fields: { source }, name: 'resources', items: resources };
    }
  }
  const answer =
    path[0] === 'api' && path[1] === 'v1' ? await answerApi(subjects, path.slice(2), url.searchParams) : null;
  return answer ?? unknownPath(`/${path.join('/')}`);
}

function decodedSegments(pathname: string): string[] | null {
  try {
    const segments = pathname.split('/').slice(1).map(decodeURIComponent);
    if (segments.at(-1) === '') segments.pop();
    return segments;
  } catch {
    return null;
  }
}

function unknownPath(path: string): Answer {
  const nearest = nearestNames(path, Object.keys(ENDPOINTS));
  const hint = nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : 'GET / lists the endpoints';
  return failure(404, { error: 'NotFound', message: `there is no such endpoint; ${hint}`, nearest });
}

function indexText(version: string): string {
  const width = Math.max(...Object.keys(ENDPOINTS).map((path) => path.length));
  const lines = Object.entries(ENDPOINTS).map(([path, what]) => `${path.padEnd(width)}  ${what}`);
  return `NovaEdge ${version} admin\n\n${lines.join('\n')}\n`;
}

function readinessAnswer({ controller, agent }: AdminSubjects): Answer {
  const reasons: string[] = [];
  const gather = (role: string, readiness: Readiness | undefined): void => {
    if (readiness === undefined || readiness.ready) return;
    if (readiness.reasons.length === 0) reasons.push(`${role}: not ready`);
    for (const reason of readiness.reasons) reasons.push(`${role}: ${reason}`);
  };
  gather('controller', controller?.readiness());
  gather('agent', agent?.readiness());
  return reasons.length === 0 ? text(200, 'ready\n') : text(503, `not ready\n${reasons.join('\n')}\n`);
}

function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(listen);
  const host = match === null ? null : hostWithoutPort(match[1]!);
  const port = Number(match?.[2]);
  if (host === null || port > 65_535) {
    throw new RangeError(
      `admin address ${JSON.stringify(listen)} is not HOST:PORT, for example 127.0.0.1:9901`,
    );
  }
  return { host, port };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Answers under way may still be finished. */
const CLOSE_GRACE_MS = 1_000;

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
