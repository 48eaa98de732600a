/** One kind of load. */
export interface Work {
  readonly name: string;
  readonly help: string;
  readonly connections: number;
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
}

const BROWSER_HEADERS = {
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.9,de;q=0.8',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'cache-control': 'no-cache',
  cookie: 'session=4f2c7b8e9a1d4c6f8b0e2a4c6e8f0a1b; theme=dark; consent=1',
  referer: 'https://app.example.com/dashboard',
  'upgrade-insecure-requests': '1',
};

export const SMALL: Work = {
  name: 'h1-keepalive-small',
  help: '64 keep-alive connections, GET, body of 13 bytes',
  connections: 64,
  path: '/',
  headers: {},
  method: 'GET',
  body: 0,
  routes: 1,
  spread: 0,
};

export const WORKS: readonly Work[] = [
  SMALL,
  {
    ...SMALL,
    name: 'h1-browser-headers',
    help: 'the same with the headers of a browser',
    headers: BROWSER_HEADERS,
  },
  {
    ...SMALL,
    name: 'h1-new-connection',
    help: 'a new connection for each request',
    headers: { connection: 'close' },
  },
  { ...SMALL, name: 'h1-body-100k', help: 'the same with an answer of 100 KB', path: '/100k' },
  {
    ...SMALL,
    name: 'h1-post-10k',
    help: '64 keep-alive connections, POST of 10 KB',
    method: 'POST',
    body: 10_240,
  },
  { ...SMALL, name: 'h1-routes-10000', help: 'the small GET with 10,000 routes configured', routes: 10_000 },
];
