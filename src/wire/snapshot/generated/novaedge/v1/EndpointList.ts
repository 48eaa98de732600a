// Original file: proto/novaedge.proto

import type { Endpoint as _novaedge_v1_Endpoint, EndpointDecoded as _novaedge_v1_EndpointDecoded } from '../../novaedge/v1/Endpoint.ts';

export interface EndpointList {
  'endpoints'?: (_novaedge_v1_Endpoint)[];
}

export interface EndpointListDecoded {
  'endpoints': (_novaedge_v1_EndpointDecoded)[];
}
