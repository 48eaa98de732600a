// Original file: proto/novaedge.proto

import type { Hello as _novaedge_v1_Hello, HelloDecoded as _novaedge_v1_HelloDecoded } from '../../novaedge/v1/Hello.ts';
import type { Ack as _novaedge_v1_Ack, AckDecoded as _novaedge_v1_AckDecoded } from '../../novaedge/v1/Ack.ts';
import type { Nack as _novaedge_v1_Nack, NackDecoded as _novaedge_v1_NackDecoded } from '../../novaedge/v1/Nack.ts';
import type { Report as _novaedge_v1_Report, ReportDecoded as _novaedge_v1_ReportDecoded } from '../../novaedge/v1/Report.ts';

export interface AgentMessage {
  'hello'?: (_novaedge_v1_Hello | null);
  'ack'?: (_novaedge_v1_Ack | null);
  'nack'?: (_novaedge_v1_Nack | null);
  'report'?: (_novaedge_v1_Report | null);
  'message'?: "hello"|"ack"|"nack"|"report";
}

export interface AgentMessageDecoded {
  'hello'?: (_novaedge_v1_HelloDecoded | null);
  'ack'?: (_novaedge_v1_AckDecoded | null);
  'nack'?: (_novaedge_v1_NackDecoded | null);
  'report'?: (_novaedge_v1_ReportDecoded | null);
  'message'?: "hello"|"ack"|"nack"|"report";
}
