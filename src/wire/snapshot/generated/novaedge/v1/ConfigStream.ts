// Original file: proto/novaedge.proto

import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _novaedge_v1_AgentMessage, AgentMessageDecoded as _novaedge_v1_AgentMessageDecoded } from '../../novaedge/v1/AgentMessage.ts';
import type { ControllerMessage as _novaedge_v1_ControllerMessage, ControllerMessageDecoded as _novaedge_v1_ControllerMessageDecoded } from '../../novaedge/v1/ControllerMessage.ts';

export interface ConfigStreamDefinition {
  Connect: MethodDefinition<_novaedge_v1_AgentMessage, _novaedge_v1_ControllerMessage, _novaedge_v1_AgentMessageDecoded, _novaedge_v1_ControllerMessageDecoded>
}
