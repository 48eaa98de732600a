import { nearestNames } from '../observe/nearest.ts';
import { CommandFailure, didYouMean, EXIT } from './failure.ts';

/** Kinds that the configuration knows, with the short names kubectl users expect. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  ProxyGateway: ['gateway', 'gw', 'pgw'],
  ProxyRoute: ['route', 'pr'],
  ProxyBackend: ['backend', 'pb'],
  ProxyPolicy: ['policy', 'pp'],
  ProxyVIP: ['vip', 'pvip'],
  Service: ['svc'],
  EndpointSlice: [],
  Secret: [],
};

const SPELLINGS: ReadonlyMap<string, string> = new Map(
  Object.entries(KINDS).flatMap(([kind, short]) =>
    [kind.toLowerCase(), ...short].flatMap((word) => [[word, kind] as const, [plural(word), kind] as const]),
  ),
);

function plural(word: string): string {
  if (word.endsWith('y')) return word.endsWith('ay') ? `${word}s` : `${word.slice(0, -1)}ies`;
  return `${word}s`;
}

/** `proxyroute`, `proxyroutes`, `route`, `routes`, `ProxyRoute`, `proxyroutes.novaedge.io` → `ProxyRoute`. */
export function kindOf(spelling: string): string {
  const word = spelling.toLowerCase().replace(/\.(novaedge|discovery\.k8s)\.io$/, '');
  const kind = SPELLINGS.get(word);
  if (kind !== undefined) return kind;
  throw new CommandFailure(
    EXIT.usage,
    `there is no kind ${JSON.stringify(spelling)}${didYouMean(nearestNames(word, SPELLINGS.keys()))} (kinds: ${Object.keys(KINDS).join(', ')})`,
  );
}
