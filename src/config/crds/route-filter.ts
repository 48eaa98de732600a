import { backendRef } from './backend-ref.ts';
import { headerChanges } from './header-changes.ts';
import {
  headerValue,
  integer,
  MEANS,
  object,
  oneOf,
  optional,
  port,
  preciseHostname,
  type Static,
  stringMap,
  text,
} from './schema.ts';

export const FILTER_TYPES = [
  'AddHeader',
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'URLRewrite',
  'RequestMirror',
] as const;

const path = (what: string) =>
  text(what, { maxLength: 1024, pattern: '^/[^\\x00-\\x20\\x7f]*$', [MEANS]: 'a path that starts with "/"' });

/** Gateway API, HTTPPathModifier. */
const pathChange = () =>
  object(
    {
      type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch'], {
        description: 'Whether the whole path is replaced or the prefix that matched.',
      }),
      replaceFullPath: optional(path('The new path.')),
      replacePrefixMatch: optional(
        path('What stands for the matched prefix; all matches of the rule must be PathPrefix.'),
      ),
    },
    { description: 'New path; without it the path stays.' },
  );

const REDIRECT_CODES = [301, 302, 303, 307, 308] as const;

/** The filter's `type` says which one of the other fields is there; `validate/filter-rules` checks it. */
export const routeFilter = object({
  type: oneOf(FILTER_TYPES, { description: 'What the filter does; the field of that name says how.' }),
  add: optional(
    stringMap(
      headerValue('Header value.'),
      '`AddHeader`: names and values of headers added to the request towards the backend.',
    ),
  ),
  requestHeaderModifier: optional(
    headerChanges('`RequestHeaderModifier`: changes of the request towards the backend.'),
  ),
  responseHeaderModifier: optional(
    headerChanges('`ResponseHeaderModifier`: changes of the answer to the client.'),
  ),
  requestRedirect: optional(
    object(
      {
        scheme: optional(
          oneOf(['http', 'https'], { description: 'New scheme; without it the one of the request.' }),
        ),
        hostname: optional(preciseHostname('New host; without it the one of the request.')),
        port: optional(
          port('New port; without it that of the scheme if one is given, else the port of the listener.'),
        ),
        path: optional(pathChange()),
        statusCode: integer('HTTP status code of the redirect.', {
          enum: [...REDIRECT_CODES],
          default: 302,
        }),
      },
      { description: '`RequestRedirect`: the client is sent elsewhere and no backend is asked.' },
    ),
  ),
  urlRewrite: optional(
    object(
      {
        hostname: optional(preciseHostname('New Host towards the backend.')),
        path: optional(pathChange()),
      },
      { description: '`URLRewrite`: host or path are changed towards the backend.' },
    ),
  ),
  requestMirror: optional(
    object(
      {
        backendRef: backendRef('Where copies go.'),
        percent: optional(
          integer('How many of 100 requests are copied; without it and `fraction` all are.', {
            minimum: 0,
            maximum: 100,
          }),
        ),
        fraction: optional(
          object(
            {
              numerator: integer('How many requests are copied …', { minimum: 0, maximum: 2_147_483_647 }),
              denominator: integer('… of so many.', { minimum: 1, maximum: 2_147_483_647, default: 100 }),
            },
            { description: 'Instead of `percent`.' },
          ),
        ),
      },
      {
        description:
          '`RequestMirror`: a copy of the request goes to another backend, whose answer is thrown away.',
      },
    ),
  ),
});

export type RouteFilterSpec = Static<typeof routeFilter>;
export type PathChangeSpec = Static<ReturnType<typeof pathChange>>;
export type RedirectCode = (typeof REDIRECT_CODES)[number];
