import { SMALL, type Work } from './work.ts';

const HANDSHAKE: Work = {
  ...SMALL,
  name: 'tls-handshake-ec',
  help: 'TLS 1.3, EC P-256: new connections, none resumed, 600 a second, one request each',
  unit: 'handshake',
  loader: 'handshakes',
  tls: 'EC',
  targets: { nginx: 1.25 },
};

export const SECURE_WORKS: readonly Work[] = [
  HANDSHAKE,
  {
    ...HANDSHAKE,
    name: 'tls-handshake-rsa',
    help: 'the same with an RSA key of 2048 bits',
    tls: 'RSA',
  },
  {
    ...HANDSHAKE,
    name: 'tls-resumed',
    help: 'TLS 1.3: new connections that resume a session, 600 a second, one request each',
    loader: 'resumptions',
  },
  {
    ...SMALL,
    name: 'tls-h1-keepalive-small',
    help: 'the small GET over 64 TLS connections',
    tls: 'EC',
    targets: { nginx: 1.25 },
  },
  {
    ...SMALL,
    name: 'tls-h1-body-1m',
    help: 'answers of 1 MB over 16 TLS connections',
    tls: 'EC',
    unit: 'MB',
    connections: 16,
    path: '/1m',
  },
  {
    ...SMALL,
    name: 'tls-h1-body-100m',
    help: 'answers of 100 MB over 4 TLS connections',
    tls: 'EC',
    unit: 'MB',
    connections: 4,
    path: '/100m',
  },
];
