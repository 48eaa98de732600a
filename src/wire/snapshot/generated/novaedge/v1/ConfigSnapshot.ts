// Original file: proto/novaedge.proto

import type { Gateway as _novaedge_v1_Gateway, GatewayDecoded as _novaedge_v1_GatewayDecoded } from '../../novaedge/v1/Gateway.ts';
import type { Route as _novaedge_v1_Route, RouteDecoded as _novaedge_v1_RouteDecoded } from '../../novaedge/v1/Route.ts';
import type { Cluster as _novaedge_v1_Cluster, ClusterDecoded as _novaedge_v1_ClusterDecoded } from '../../novaedge/v1/Cluster.ts';
import type { EndpointList as _novaedge_v1_EndpointList, EndpointListDecoded as _novaedge_v1_EndpointListDecoded } from '../../novaedge/v1/EndpointList.ts';
import type { VipAssignment as _novaedge_v1_VipAssignment, VipAssignmentDecoded as _novaedge_v1_VipAssignmentDecoded } from '../../novaedge/v1/VipAssignment.ts';
import type { Listener as _novaedge_v1_Listener, ListenerDecoded as _novaedge_v1_ListenerDecoded } from '../../novaedge/v1/Listener.ts';
import type { Policy as _novaedge_v1_Policy, PolicyDecoded as _novaedge_v1_PolicyDecoded } from '../../novaedge/v1/Policy.ts';
import type { Certificate as _novaedge_v1_Certificate, CertificateDecoded as _novaedge_v1_CertificateDecoded } from '../../novaedge/v1/Certificate.ts';

export interface ConfigSnapshot {
  'version'?: (string);
  'gateways'?: (_novaedge_v1_Gateway)[];
  'routes'?: (_novaedge_v1_Route)[];
  'clusters'?: (_novaedge_v1_Cluster)[];
  'endpoints'?: ({[key: string]: _novaedge_v1_EndpointList});
  'vipAssignments'?: (_novaedge_v1_VipAssignment)[];
  'listeners'?: (_novaedge_v1_Listener)[];
  'policies'?: (_novaedge_v1_Policy)[];
  'certificates'?: (_novaedge_v1_Certificate)[];
}

export interface ConfigSnapshotDecoded {
  'version': (string);
  'gateways': (_novaedge_v1_GatewayDecoded)[];
  'routes': (_novaedge_v1_RouteDecoded)[];
  'clusters': (_novaedge_v1_ClusterDecoded)[];
  'endpoints': ({[key: string]: _novaedge_v1_EndpointListDecoded});
  'vipAssignments': (_novaedge_v1_VipAssignmentDecoded)[];
  'listeners': (_novaedge_v1_ListenerDecoded)[];
  'policies': (_novaedge_v1_PolicyDecoded)[];
  'certificates': (_novaedge_v1_CertificateDecoded)[];
}
