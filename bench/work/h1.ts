import { SMALL, type Work } from './work.ts';

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

export const H1_WORKS: readonly Work[] = [
  { ...SMALL, targets: { nginx: 1.1, haproxy: 1 } },
  { ...SMALL, name: 'h1-connections-1', help: 'the same over one connection', connections: 1 },
  { ...SMALL, name: 'h1-connections-16', help: 'the same over 16 connections', connections: 16 },
  { ...SMALL, name: 'h1-connections-512', help: 'the same over 512 connections', connections: 512 },
  {
    ...SMALL,
    name: 'h1-browser-headers',
    help: 'the same with the headers of a browser',
    headers: BROWSER_HEADERS,
    targets: { haproxy: 1.1 },
  },
  {
    ...SMALL,
    name: 'h1-new-connection',
    help: 'a new connection for each request',
    headers: { connection: 'close' },
    targets: { nginx: 1.3 },
  },
  { ...SMALL, name: 'h1-body-10k', help: 'the same with an answer of 10 KB', path: '/10k' },
  {
    ...SMALL,
    name: 'h1-body-100k',
    help: 'the same with an answer of 100 KB',
    path: '/100k',
    targets: { haproxy: 1.2 },
  },
  { ...SMALL, name: 'h1-body-1m', help: 'the same with an answer of 1 MB', path: '/1m' },
  { ...SMALL, name: 'h1-chunked', help: 'the same with a chunked answer of 10 KB', path: '/chunked.html' },
  {
    ...SMALL,
    name: 'h1-post-10k',
    help: '64 keep-alive connections, POST of 10 KB',
    method: 'POST',
    body: 10_240,
  },
  { ...SMALL, name: 'h1-routes-10', help: 'the small GET with 10 routes configured', routes: 10 },
  { ...SMALL, name: 'h1-routes-1000', help: 'the small GET with 1,000 routes configured', routes: 1000 },
  { ...SMALL, name: 'h1-routes-10000', help: 'the small GET with 10,000 routes configured', routes: 10_000 },
  { ...SMALL, name: 'h1-access-log', help: 'the small GET with an access log', accessLog: true },
  {
    ...SMALL,
    name: 'h1-workers-2',
    help: 'the small GET, two workers; proxy, load and backend share two cores',
    workers: 2,
  },
  {
    ...SMALL,
    name: 'h1-half-load',
    help: 'the small GET at half of what NovaEdge can do: latency',
    load: 'half',
  },
];
