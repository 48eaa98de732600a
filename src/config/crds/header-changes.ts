import type { Static } from 'typebox';
import { headerName, headerValue, listOf, object, optional } from './schema.ts';

const header = () => object({ name: headerName('Header name.'), value: headerValue('Header value.') });

/** Gateway API, HTTPHeaderFilter. */
export const headerChanges = (description: string) =>
  object(
    {
      set: optional(listOf(header(), 'Headers that replace those of the same name.', { maxItems: 64 })),
      add: optional(listOf(header(), 'Headers that are added to those of the same name.', { maxItems: 64 })),
      remove: optional(
        listOf(headerName('Header name.'), 'Names of headers that are taken away.', { maxItems: 64 }),
      ),
    },
    { description },
  );

export type HeaderChangesSpec = Static<ReturnType<typeof headerChanges>>;
