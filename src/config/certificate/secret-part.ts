import type { TypedObject } from '../validate/typed-object.ts';
import type { Part } from './read-certificate.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** One key of a Secret; `stringData` wins, as on an API server. */
export function secretPart(secret: TypedObject<'Secret'>, field: string): Part {
  const { data, stringData } = secret.content;
  const text = stringData?.[field];
  if (text !== undefined) return { field, bytes: Buffer.from(text) };
  const base64 = data?.[field]?.replace(/\s/g, '');
  if (base64 === undefined) return { field, bytes: null, fault: 'is missing' };
  if (!BASE64.test(base64)) return { field, bytes: null, fault: 'is not base64' };
  return { field, bytes: Buffer.from(base64, 'base64') };
}

export function hasSecretPart({ content }: TypedObject<'Secret'>, field: string): boolean {
  return content.stringData?.[field] !== undefined || content.data?.[field] !== undefined;
}
