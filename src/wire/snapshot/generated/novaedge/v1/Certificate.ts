// Original file: proto/novaedge.proto


export interface Certificate {
  'name'?: (string);
  'chain'?: (string);
  'privateKey'?: (string);
  'ocspStaple'?: (string);
  'notAfter'?: (number | string);
}

export interface CertificateDecoded {
  'name': (string);
  'chain': (string);
  'privateKey': (string);
  'ocspStaple': (string);
  'notAfter': (number);
}
