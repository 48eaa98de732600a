import type { KeyKind, ServerCertificate } from '../certificate.ts';
import { installed, type Started } from '../process.ts';
import type { Work } from '../work/work.ts';

/** The core each proxy has to itself; load and backend share the other one. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

export interface Contender {
  readonly name: 'novaedge' | 'nginx' | 'haproxy' | 'caddy';
  /** Null when it can be run, else why not. */
  missing(): string | null;
  /** Why it cannot do a work, where that is known beforehand; else null. */
  cannot(work: Work): string | null;
  start(options: StartOptions): Promise<Started & { readonly port: number }>;
}

export interface StartOptions {
  readonly directory: string;
  readonly backendPort: number;
  readonly work: Work;
  readonly certificates: Readonly<Record<KeyKind, ServerCertificate>>;
}

/** With more than one worker there is no core left for the load alone: it shares all of them with the proxy. */
export function coresOf(work: Work): string {
  return work.workers === 1 ? String(PROXY_CORE) : `${PROXY_CORE}-${PROXY_CORE + work.workers - 1}`;
}

/** What it shows to clients, or null where they come in clear text. */
export function certificateOf({ work, certificates }: StartOptions): ServerCertificate | null {
  return work.tls === null ? null : certificates[work.tls];
}

/** Route prefixes beside the one that is asked for. */
export function extraPrefixes(work: Work): string[] {
  return Array.from({ length: work.routes - 1 }, (_, index) => `/service-${index}/api/`);
}

export function needs(program: string): () => string | null {
  return () => (installed(program) ? null : `${program} is not installed (Debian: ${program})`);
}
