// Original file: proto/novaedge.proto

import type { HttpSettings as _novaedge_v1_HttpSettings, HttpSettingsDecoded as _novaedge_v1_HttpSettingsDecoded } from '../../novaedge/v1/HttpSettings.ts';
import type { ClientAddressSettings as _novaedge_v1_ClientAddressSettings, ClientAddressSettingsDecoded as _novaedge_v1_ClientAddressSettingsDecoded } from '../../novaedge/v1/ClientAddressSettings.ts';

export interface Listener {
  'name'?: (string);
  'gateway'?: (string);
  'port'?: (number);
  'protocol'?: (string);
  'hostnames'?: (string)[];
  'http'?: (_novaedge_v1_HttpSettings | null);
  'clientAddress'?: (_novaedge_v1_ClientAddressSettings | null);
}

export interface ListenerDecoded {
  'name': (string);
  'gateway': (string);
  'port': (number);
  'protocol': (string);
  'hostnames': (string)[];
  'http': (_novaedge_v1_HttpSettingsDecoded | null);
  'clientAddress': (_novaedge_v1_ClientAddressSettingsDecoded | null);
}
