// Original file: proto/novaedge.proto

import type { HttpSettings as _novaedge_v1_HttpSettings, HttpSettingsDecoded as _novaedge_v1_HttpSettingsDecoded } from '../../novaedge/v1/HttpSettings.ts';
import type { ClientAddressSettings as _novaedge_v1_ClientAddressSettings, ClientAddressSettingsDecoded as _novaedge_v1_ClientAddressSettingsDecoded } from '../../novaedge/v1/ClientAddressSettings.ts';
import type { ListenerTls as _novaedge_v1_ListenerTls, ListenerTlsDecoded as _novaedge_v1_ListenerTlsDecoded } from '../../novaedge/v1/ListenerTls.ts';

export interface Listener {
  'name'?: (string);
  'gateway'?: (string);
  'port'?: (number);
  'protocol'?: (string);
  'hostnames'?: (string)[];
  'http'?: (_novaedge_v1_HttpSettings | null);
  'clientAddress'?: (_novaedge_v1_ClientAddressSettings | null);
  'tls'?: (_novaedge_v1_ListenerTls | null);
}

export interface ListenerDecoded {
  'name': (string);
  'gateway': (string);
  'port': (number);
  'protocol': (string);
  'hostnames': (string)[];
  'http': (_novaedge_v1_HttpSettingsDecoded | null);
  'clientAddress': (_novaedge_v1_ClientAddressSettingsDecoded | null);
  'tls': (_novaedge_v1_ListenerTlsDecoded | null);
}
