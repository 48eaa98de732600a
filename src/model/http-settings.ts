/** How a listener reads the path of a request before it routes and forwards it: one reading for both. */
export interface PathSettings {
  /** `%2F` and `%5C`: refused with 400, left as they are (and separating nothing), or taken for the character. */
  readonly escapedSlashes: 'Refuse' | 'Keep' | 'Decode';
  /** `//`: made one, left, or refused. */
  readonly doubleSlashes: 'Merge' | 'Keep' | 'Refuse';
  /** `/./` and `/../`, escaped or not: resolved (RFC 3986, 5.2.4) or refused. */
  readonly dotSegments: 'Resolve' | 'Refuse';
}

/** Sizes in bytes, 0 is off where the field says so. */
export interface RequestLimits {
  /** Method, target and version: 414. */
  readonly requestLineBytes: number;
  /** All fields together: 431. */
  readonly headerBytes: number;
  /** 431. */
  readonly headerCount: number;
  /** Trailer section of a chunked body: 431. */
  readonly trailerBytes: number;
  /** Extensions of all chunks of a body together: 400. */
  readonly chunkExtensionBytes: number;
  /** 413; 0 is off. */
  readonly bodyBytes: number;
  /** After so many answers the connection is closed, the last says so; 0 is off. */
  readonly requestsPerConnection: number;
  /** Sent ahead of the answers a client waits for; what is more is not read until they have gone out. */
  readonly pipelinedBytes: number;
  /** A client that sends a body, or takes an answer, more slowly than this is cut; 0 is off. */
  readonly minimumBytesPerSecond: number;
}

/** Milliseconds; 0 is off. */
export interface ClientTimeouts {
  /** From the first byte of a head to its last: 408. */
  readonly headerMs: number;
  /** Between two reads of a body: 408. */
  readonly bodyIdleMs: number;
  /** From the first byte of a request to its last: 408. */
  readonly requestMs: number;
  /** Between two requests of a connection, and before the first. */
  readonly idleMs: number;
  /** A client that takes nothing of its answer: cut. */
  readonly writeMs: number;
  /** Neither side of an upgraded connection says anything. */
  readonly tunnelIdleMs: number;
}

/** What holds for a client's HTTP/2 connection (RFC 9113). Sizes in bytes. */
export interface Http2Settings {
  /** False: HTTP/1.1 alone, also where a client begins with the preface of HTTP/2. */
  readonly enabled: boolean;
  /** Requests under way on one connection. */
  readonly maxConcurrentStreams: number;
  /** Of a request's body that has not been passed on. */
  readonly streamWindowBytes: number;
  /** Of all bodies of a connection. */
  readonly connectionWindowBytes: number;
}

/** What holds for HTTP on a port; all listeners of a port have the same. */
export interface HttpSettings {
  readonly path: PathSettings;
  /** Field names with an underscore, which CGI cannot tell from `-`: left out, refused with 400, or forwarded. */
  readonly underscores: 'Drop' | 'Refuse' | 'Keep';
  readonly limits: RequestLimits;
  readonly timeouts: ClientTimeouts;
  /** False: HTTP/2 alone, in clear text too. */
  readonly http1: boolean;
  readonly http2: Http2Settings;
}

export const HTTP_DEFAULTS: HttpSettings = {
  path: { escapedSlashes: 'Refuse', doubleSlashes: 'Merge', dotSegments: 'Resolve' },
  underscores: 'Drop',
  limits: {
    requestLineBytes: 8192,
    headerBytes: 32_768,
    headerCount: 100,
    trailerBytes: 8192,
    chunkExtensionBytes: 4096,
    bodyBytes: 1_073_741_824,
    requestsPerConnection: 10_000,
    pipelinedBytes: 65_536,
    minimumBytesPerSecond: 240,
  },
  timeouts: {
    headerMs: 10_000,
    bodyIdleMs: 10_000,
    requestMs: 3_600_000,
    idleMs: 60_000,
    writeMs: 10_000,
    tunnelIdleMs: 3_600_000,
  },
  http1: true,
  http2: {
    enabled: true,
    maxConcurrentStreams: 128,
    streamWindowBytes: 262_144,
    connectionWindowBytes: 1_048_576,
  },
};

/** Whose word is taken for where a client is, and how it is passed on. */
export interface ClientAddressSettings {
  /** CIDRs of proxies whose word is believed; empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** How many proxies stand before this one, where they are counted instead of named; 0: none. */
  readonly trustedHops: number;
  /** Which field they say it in. */
  readonly header: 'XForwardedFor' | 'Forwarded';
  /** Which fields backends get. */
  readonly send: 'XForwarded' | 'Forwarded' | 'Both';
  /** CIDRs of peers that begin each connection with a PROXY protocol header (v1 or v2); empty: nobody does. */
  readonly proxyProtocolFrom: readonly string[];
}

export const CLIENT_ADDRESS_DEFAULTS: ClientAddressSettings = {
  trustedProxies: [],
  trustedHops: 0,
  header: 'XForwardedFor',
  send: 'XForwarded',
  proxyProtocolFrom: [],
};
