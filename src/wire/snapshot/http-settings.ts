import type {
  ClientAddressSettings,
  ClientTimeouts,
  Http2Settings,
  HttpSettings,
  RequestLimits,
} from '../../model/http-settings.ts';
import { count, inside, oneOf, part, size, texts } from './field.ts';
import type {
  ClientAddressSettingsDecoded,
  ClientAddressSettings as ClientAddressSettingsEncoded,
} from './generated/novaedge/v1/ClientAddressSettings.ts';
import type {
  HttpSettingsDecoded,
  HttpSettings as HttpSettingsEncoded,
} from './generated/novaedge/v1/HttpSettings.ts';
import type { Sparse } from './schema.ts';

const ESCAPED_SLASHES = ['Refuse', 'Keep', 'Decode'] as const;
const DOUBLE_SLASHES = ['Merge', 'Keep', 'Refuse'] as const;
const DOT_SEGMENTS = ['Resolve', 'Refuse'] as const;
const UNDERSCORES = ['Drop', 'Refuse', 'Keep'] as const;
const ADDRESS_HEADERS = ['XForwardedFor', 'Forwarded'] as const;
const ADDRESS_FIELDS = ['XForwarded', 'Forwarded', 'Both'] as const;

const COUNTED_LIMITS = [
  'requestLineBytes',
  'headerBytes',
  'headerCount',
  'trailerBytes',
  'chunkExtensionBytes',
  'requestsPerConnection',
  'pipelinedBytes',
  'minimumBytesPerSecond',
] as const satisfies readonly (keyof RequestLimits)[];
const TIMEOUTS = [
  'headerMs',
  'bodyIdleMs',
  'requestMs',
  'idleMs',
  'writeMs',
  'tunnelIdleMs',
] as const satisfies readonly (keyof ClientTimeouts)[];

const HTTP2_COUNTS = [
  'maxConcurrentStreams',
  'streamWindowBytes',
  'connectionWindowBytes',
] as const satisfies readonly (keyof Http2Settings)[];

/** The same fields, checked. */
function counts<Field extends string>(
  from: Readonly<Record<Field, number>>,
  fields: readonly Field[],
): Record<Field, number> {
  return Object.fromEntries(fields.map((field) => [field, count(from[field], field)])) as Record<
    Field,
    number
  >;
}

/** The same fields, checked; those that are 0 are left out. */
function sparse<Field extends string>(
  from: Readonly<Record<Field, number>>,
  fields: readonly Field[],
): { [Key in Field]?: number | undefined } {
  return Object.fromEntries(fields.map((field) => [field, count(from[field], field) || undefined])) as {
    [Key in Field]?: number | undefined;
  };
}

export function httpToMessage(http: HttpSettings): Sparse<HttpSettingsEncoded> {
  return {
    escapedSlashes: oneOf(http.path.escapedSlashes, ESCAPED_SLASHES, 'path.escapedSlashes'),
    doubleSlashes: oneOf(http.path.doubleSlashes, DOUBLE_SLASHES, 'path.doubleSlashes'),
    dotSegments: oneOf(http.path.dotSegments, DOT_SEGMENTS, 'path.dotSegments'),
    underscores: oneOf(http.underscores, UNDERSCORES, 'underscores'),
    limits: inside('limits', () => ({
      ...sparse(http.limits, COUNTED_LIMITS),
      bodyBytes: size(http.limits.bodyBytes, 'bodyBytes') || undefined,
    })),
    timeouts: inside('timeouts', () => sparse(http.timeouts, TIMEOUTS)),
    http2: inside('http2', () => ({
      enabled: http.http2.enabled || undefined,
      ...sparse(http.http2, HTTP2_COUNTS),
    })),
    http1: http.http1 || undefined,
  };
}

export function httpFromMessage(given: HttpSettingsDecoded | null): HttpSettings {
  const message = part(given, 'http');
  const limits = part(message.limits, 'limits');
  const timeouts = part(message.timeouts, 'timeouts');
  const http2 = part(message.http2, 'http2');
  return {
    path: {
      escapedSlashes: oneOf(message.escapedSlashes, ESCAPED_SLASHES, 'path.escapedSlashes'),
      doubleSlashes: oneOf(message.doubleSlashes, DOUBLE_SLASHES, 'path.doubleSlashes'),
      dotSegments: oneOf(message.dotSegments, DOT_SEGMENTS, 'path.dotSegments'),
    },
    underscores: oneOf(message.underscores, UNDERSCORES, 'underscores'),
    limits: inside('limits', () => ({
      ...counts(limits, COUNTED_LIMITS),
      bodyBytes: size(Number(limits.bodyBytes), 'bodyBytes'),
    })),
    timeouts: inside('timeouts', () => counts(timeouts, TIMEOUTS)),
    http2: inside('http2', () => ({ enabled: http2.enabled, ...counts(http2, HTTP2_COUNTS) })),
    http1: message.http1,
  };
}

export function clientAddressToMessage(
  settings: ClientAddressSettings,
): Sparse<ClientAddressSettingsEncoded> {
  return {
    trustedProxies: texts(settings.trustedProxies, 'trustedProxies'),
    trustedHops: count(settings.trustedHops, 'trustedHops') || undefined,
    header: oneOf(settings.header, ADDRESS_HEADERS, 'header'),
    send: oneOf(settings.send, ADDRESS_FIELDS, 'send'),
    proxyProtocolFrom: texts(settings.proxyProtocolFrom, 'proxyProtocolFrom'),
  };
}

export function clientAddressFromMessage(given: ClientAddressSettingsDecoded | null): ClientAddressSettings {
  const message = part(given, 'clientAddress');
  return {
    trustedProxies: message.trustedProxies,
    trustedHops: message.trustedHops,
    header: oneOf(message.header, ADDRESS_HEADERS, 'header'),
    send: oneOf(message.send, ADDRESS_FIELDS, 'send'),
    proxyProtocolFrom: message.proxyProtocolFrom,
  };
}
