// Original file: proto/novaedge.proto


export interface RouteAttachment {
  'listener'?: (string);
  'hostnames'?: (string)[];
}

export interface RouteAttachmentDecoded {
  'listener': (string);
  'hostnames': (string)[];
}
