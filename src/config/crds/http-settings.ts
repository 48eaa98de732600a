import { CLIENT_ADDRESS_DEFAULTS, HTTP_DEFAULTS } from '../../model/http-settings.ts';
import { duration, integer, listOf, MEANS, object, oneOf, type Static, text } from './schema.ts';
import { http1Settings, http2Settings } from './tls.ts';

const { path, limits, timeouts } = HTTP_DEFAULTS;
const MOST = 2_147_483_647;

const cidrs = (description: string) =>
  listOf(
    text('`192.0.2.0/24` or `2001:db8::/32`.', { minLength: 1, maxLength: 64, [MEANS]: 'a CIDR' }),
    description,
    { maxItems: 256, uniqueItems: true, default: [] },
  );

/** What holds for HTTP on a port. The defaults are the model's. */
export const httpSettings = object(
  {
    path: object(
      {
        escapedSlashes: oneOf(['Refuse', 'Keep', 'Decode'], {
          description:
            '`%2F` and `%5C` in a path: refused with 400, left as they are (they separate nothing), or decoded: `%2F` is a slash, `%5C` is refused as `\\` is.',
          default: path.escapedSlashes,
        }),
        doubleSlashes: oneOf(['Merge', 'Keep', 'Refuse'], {
          description: '`//` in a path: made one, left as it is, or refused with 400.',
          default: path.doubleSlashes,
        }),
        dotSegments: oneOf(['Resolve', 'Refuse'], {
          description: '`/./` and `/../`, escaped or not: resolved, or refused with 400.',
          default: path.dotSegments,
        }),
      },
      {
        description:
          'How the path is read before it is routed; backends get the path that decided the route.',
        default: {},
      },
    ),
    underscores: oneOf(['Drop', 'Refuse', 'Keep'], {
      description:
        'Headers with an underscore in their name, which many servers cannot tell from `-`: left out, refused with 400, or forwarded.',
      default: HTTP_DEFAULTS.underscores,
    }),
    limits: object(
      {
        requestLineBytes: integer('Method, target and version; beyond it 414.', {
          minimum: 64,
          maximum: 1_048_576,
          default: limits.requestLineBytes,
        }),
        headerBytes: integer('All headers together; beyond it 431.', {
          minimum: 256,
          maximum: 1_048_576,
          default: limits.headerBytes,
        }),
        headerCount: integer('Headers; beyond it 431.', {
          minimum: 1,
          maximum: 1000,
          default: limits.headerCount,
        }),
        trailerBytes: integer('Trailer section of a chunked body; beyond it 431.', {
          minimum: 0,
          maximum: 1_048_576,
          default: limits.trailerBytes,
        }),
        chunkExtensionBytes: integer('Chunk extensions of a body together; beyond it 400.', {
          minimum: 0,
          maximum: 1_048_576,
          default: limits.chunkExtensionBytes,
        }),
        bodyBytes: integer('Body of a request; beyond it 413. 0 is off; a rule may have its own.', {
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          default: limits.bodyBytes,
        }),
        requestsPerConnection: integer(
          'Answers after which a connection is closed; the last one says so. 0 is off.',
          {
            minimum: 0,
            maximum: MOST,
            default: limits.requestsPerConnection,
          },
        ),
        pipelinedBytes: integer(
          'What is taken in of further requests while one is answered; the rest is read later.',
          { minimum: 1024, maximum: 1_048_576, default: limits.pipelinedBytes },
        ),
        minimumBytesPerSecond: integer(
          'A client that sends a body or takes an answer more slowly is cut off. 0 is off.',
          { minimum: 0, maximum: MOST, default: limits.minimumBytesPerSecond },
        ),
      },
      { description: 'Sizes beyond which a request is refused.', default: {} },
    ),
    timeouts: object(
      {
        header: duration('From the first byte of the headers to their last; then 408.', {
          default: durationText(timeouts.headerMs),
        }),
        bodyIdle: duration('Between two pieces of a request body; then 408.', {
          default: durationText(timeouts.bodyIdleMs),
        }),
        request: duration('From the first byte of a request to its last; then 408. `0s` is off.', {
          default: durationText(timeouts.requestMs),
        }),
        idle: duration('Without a request on an open connection; then it is closed.', {
          default: durationText(timeouts.idleMs),
        }),
        write: duration('A client that takes nothing of its answer; then it is cut off.', {
          default: durationText(timeouts.writeMs),
        }),
        tunnelIdle: duration(
          'Neither side of an upgraded connection (WebSocket) says anything; then it is closed.',
          { default: durationText(timeouts.tunnelIdleMs) },
        ),
      },
      { description: 'How long a client may take.', default: {} },
    ),
    http1: http1Settings,
    http2: http2Settings,
  },
  {
    description:
      'What is accepted from clients. Of several listeners on a port the first one decides for all (that of the oldest gateway).',
    default: {},
  },
);

export const clientAddress = object(
  {
    trustedProxies: cidrs('Proxies whose word about the client is believed, by address.'),
    trustedHops: integer(
      'How many trusted proxies stand before this one, where they have no fixed address.',
      {
        minimum: 0,
        maximum: 16,
        default: CLIENT_ADDRESS_DEFAULTS.trustedHops,
      },
    ),
    header: oneOf(['XForwardedFor', 'Forwarded'], {
      description: 'Header in which trusted proxies name the client.',
      default: CLIENT_ADDRESS_DEFAULTS.header,
    }),
    send: oneOf(['XForwarded', 'Forwarded', 'Both'], {
      description:
        'Headers in which backends are told of the client: X-Forwarded-*, Forwarded (RFC 7239), or both.',
      default: CLIENT_ADDRESS_DEFAULTS.send,
    }),
    proxyProtocolFrom: cidrs(
      'Peers that begin each connection with a PROXY protocol header (v1 or v2); one of them that does not is closed.',
    ),
  },
  {
    description:
      'How the address of a client behind other proxies is found, and passed on. Of several listeners on a port the first one decides for all (that of the oldest gateway).',
    default: {},
  },
);

export type HttpSettingsSpec = Static<typeof httpSettings>;
export type ClientAddressSpec = Static<typeof clientAddress>;

function durationText(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`;
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
