// Original file: proto/novaedge.proto


export interface Hello {
  'node'?: (string);
  'agentVersion'?: (string);
  'snapshotVersion'?: (string);
  'labels'?: ({[key: string]: string});
}

export interface HelloDecoded {
  'node': (string);
  'agentVersion': (string);
  'snapshotVersion': (string);
  'labels': ({[key: string]: string});
}
