// Original file: proto/novaedge.proto


export interface ClientCertificates {
  'mode'?: (string);
  'ca'?: (string);
  'header'?: (string);
}

export interface ClientCertificatesDecoded {
  'mode': (string);
  'ca': (string);
  'header': (string);
}
