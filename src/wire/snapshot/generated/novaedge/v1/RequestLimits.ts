// Original file: proto/novaedge.proto


export interface RequestLimits {
  'requestLineBytes'?: (number);
  'headerBytes'?: (number);
  'headerCount'?: (number);
  'trailerBytes'?: (number);
  'chunkExtensionBytes'?: (number);
  'bodyBytes'?: (number | string);
  'requestsPerConnection'?: (number);
  'pipelinedBytes'?: (number);
  'minimumBytesPerSecond'?: (number);
}

export interface RequestLimitsDecoded {
  'requestLineBytes': (number);
  'headerBytes': (number);
  'headerCount': (number);
  'trailerBytes': (number);
  'chunkExtensionBytes': (number);
  'bodyBytes': (number);
  'requestsPerConnection': (number);
  'pipelinedBytes': (number);
  'minimumBytesPerSecond': (number);
}
