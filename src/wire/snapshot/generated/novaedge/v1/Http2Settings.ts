// Original file: proto/novaedge.proto


export interface Http2Settings {
  'enabled'?: (boolean);
  'maxConcurrentStreams'?: (number);
  'streamWindowBytes'?: (number);
  'connectionWindowBytes'?: (number);
}

export interface Http2SettingsDecoded {
  'enabled': (boolean);
  'maxConcurrentStreams': (number);
  'streamWindowBytes': (number);
  'connectionWindowBytes': (number);
}
