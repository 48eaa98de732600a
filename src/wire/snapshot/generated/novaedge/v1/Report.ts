// Original file: proto/novaedge.proto


export interface Report {
  'json'?: (Buffer | Uint8Array | string);
}

export interface ReportDecoded {
  'json': (Buffer);
}
