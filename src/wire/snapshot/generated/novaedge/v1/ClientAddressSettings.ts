// Original file: proto/novaedge.proto


export interface ClientAddressSettings {
  'trustedProxies'?: (string)[];
  'trustedHops'?: (number);
  'header'?: (string);
  'send'?: (string);
  'proxyProtocolFrom'?: (string)[];
}

export interface ClientAddressSettingsDecoded {
  'trustedProxies': (string)[];
  'trustedHops': (number);
  'header': (string);
  'send': (string);
  'proxyProtocolFrom': (string)[];
}
