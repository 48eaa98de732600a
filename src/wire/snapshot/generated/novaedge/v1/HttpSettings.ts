// Original file: proto/novaedge.proto

import type { RequestLimits as _novaedge_v1_RequestLimits, RequestLimitsDecoded as _novaedge_v1_RequestLimitsDecoded } from '../../novaedge/v1/RequestLimits.ts';
import type { ClientTimeouts as _novaedge_v1_ClientTimeouts, ClientTimeoutsDecoded as _novaedge_v1_ClientTimeoutsDecoded } from '../../novaedge/v1/ClientTimeouts.ts';
import type { Http2Settings as _novaedge_v1_Http2Settings, Http2SettingsDecoded as _novaedge_v1_Http2SettingsDecoded } from '../../novaedge/v1/Http2Settings.ts';

export interface HttpSettings {
  'escapedSlashes'?: (string);
  'doubleSlashes'?: (string);
  'dotSegments'?: (string);
  'underscores'?: (string);
  'limits'?: (_novaedge_v1_RequestLimits | null);
  'timeouts'?: (_novaedge_v1_ClientTimeouts | null);
  'http2'?: (_novaedge_v1_Http2Settings | null);
  'http1'?: (boolean);
}

export interface HttpSettingsDecoded {
  'escapedSlashes': (string);
  'doubleSlashes': (string);
  'dotSegments': (string);
  'underscores': (string);
  'limits': (_novaedge_v1_RequestLimitsDecoded | null);
  'timeouts': (_novaedge_v1_ClientTimeoutsDecoded | null);
  'http2': (_novaedge_v1_Http2SettingsDecoded | null);
  'http1': (boolean);
}
