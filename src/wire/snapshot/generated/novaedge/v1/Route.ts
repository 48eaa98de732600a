// Original file: proto/novaedge.proto

import type { RouteAttachment as _novaedge_v1_RouteAttachment, RouteAttachmentDecoded as _novaedge_v1_RouteAttachmentDecoded } from '../../novaedge/v1/RouteAttachment.ts';
import type { RouteRule as _novaedge_v1_RouteRule, RouteRuleDecoded as _novaedge_v1_RouteRuleDecoded } from '../../novaedge/v1/RouteRule.ts';

export interface Route {
  'name'?: (string);
  'createdAt'?: (number | string);
  'attachments'?: (_novaedge_v1_RouteAttachment)[];
  'rules'?: (_novaedge_v1_RouteRule)[];
}

export interface RouteDecoded {
  'name': (string);
  'createdAt': (number);
  'attachments': (_novaedge_v1_RouteAttachmentDecoded)[];
  'rules': (_novaedge_v1_RouteRuleDecoded)[];
}
