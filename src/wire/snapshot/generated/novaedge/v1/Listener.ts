// Original file: proto/novaedge.proto


export interface Listener {
  'name'?: (string);
  'gateway'?: (string);
  'port'?: (number);
  'protocol'?: (string);
  'hostnames'?: (string)[];
}

export interface ListenerDecoded {
  'name': (string);
  'gateway': (string);
  'port': (number);
  'protocol': (string);
  'hostnames': (string)[];
}
