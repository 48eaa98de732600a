// Original file: proto/novaedge.proto

import type { HeaderChanges as _novaedge_v1_HeaderChanges, HeaderChangesDecoded as _novaedge_v1_HeaderChangesDecoded } from '../../novaedge/v1/HeaderChanges.ts';
import type { Rewrite as _novaedge_v1_Rewrite, RewriteDecoded as _novaedge_v1_RewriteDecoded } from '../../novaedge/v1/Rewrite.ts';
import type { Redirect as _novaedge_v1_Redirect, RedirectDecoded as _novaedge_v1_RedirectDecoded } from '../../novaedge/v1/Redirect.ts';

export interface Filter {
  'requestHeaders'?: (_novaedge_v1_HeaderChanges | null);
  'responseHeaders'?: (_novaedge_v1_HeaderChanges | null);
  'rewrite'?: (_novaedge_v1_Rewrite | null);
  'redirect'?: (_novaedge_v1_Redirect | null);
  'filter'?: "requestHeaders"|"responseHeaders"|"rewrite"|"redirect";
}

export interface FilterDecoded {
  'requestHeaders'?: (_novaedge_v1_HeaderChangesDecoded | null);
  'responseHeaders'?: (_novaedge_v1_HeaderChangesDecoded | null);
  'rewrite'?: (_novaedge_v1_RewriteDecoded | null);
  'redirect'?: (_novaedge_v1_RedirectDecoded | null);
  'filter'?: "requestHeaders"|"responseHeaders"|"rewrite"|"redirect";
}
