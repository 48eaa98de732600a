// Original file: proto/novaedge.proto


export interface ReportRequest {
}

export interface ReportRequestDecoded {
}
