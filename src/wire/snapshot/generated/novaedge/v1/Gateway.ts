// Original file: proto/novaedge.proto


export interface Gateway {
  'name'?: (string);
  'ingressClassName'?: (string);
  'vip'?: (string);
}

export interface GatewayDecoded {
  'name': (string);
  'ingressClassName': (string);
  'vip': (string);
}
