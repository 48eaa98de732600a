// Original file: proto/novaedge.proto

import type { ClientCertificates as _novaedge_v1_ClientCertificates, ClientCertificatesDecoded as _novaedge_v1_ClientCertificatesDecoded } from '../../novaedge/v1/ClientCertificates.ts';

export interface ListenerTls {
  'certificates'?: (string)[];
  'minVersion'?: (string);
  'maxVersion'?: (string);
  'ciphers'?: (string)[];
  'curves'?: (string)[];
  'alpn'?: (string)[];
  'clientCertificates'?: (_novaedge_v1_ClientCertificates | null);
  'sessionTickets'?: (boolean);
  'handshakeTimeoutMs'?: (number);
}

export interface ListenerTlsDecoded {
  'certificates': (string)[];
  'minVersion': (string);
  'maxVersion': (string);
  'ciphers': (string)[];
  'curves': (string)[];
  'alpn': (string)[];
  'clientCertificates': (_novaedge_v1_ClientCertificatesDecoded | null);
  'sessionTickets': (boolean);
  'handshakeTimeoutMs': (number);
}
