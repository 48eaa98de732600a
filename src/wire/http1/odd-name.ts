import type { HttpSettings } from '../../model/http-settings.ts';
import type { HeadRole } from '../message/message-head.ts';
import { FIELD_ID, looseFieldId } from './field-name.ts';

/** Resembles a field that frames messages. */
export const NEAR_MISS = -1;
/** Has an underscore, which the settings refuse. */
export const REFUSED = -2;

/** Of a name with other characters than letters, digits and `-`: OTHER, UNDERSCORE, or one of the above. */
export function oddFieldId(
  bytes: Uint8Array,
  start: number,
  end: number,
  hasUnderscore: boolean,
  role: HeadRole,
  underscores: HttpSettings['underscores'],
): number {
  const resembles = looseFieldId(bytes, start, end);
  if (resembles === FIELD_ID.CONTENT_LENGTH || resembles === FIELD_ID.TRANSFER_ENCODING) return NEAR_MISS;
  if (role === 'response') return FIELD_ID.OTHER;
  if (hasUnderscore) {
    if (role === 'trailer' || underscores === 'Drop') return FIELD_ID.UNDERSCORE;
    if (underscores === 'Refuse') return REFUSED;
  }
  return resembles === FIELD_ID.OTHER ? FIELD_ID.OTHER : FIELD_ID.UNDERSCORE;
}
