import type { ClientAddressSettings, HttpSettings } from './http-settings.ts';
import { CLIENT_ADDRESS_DEFAULTS, HTTP_DEFAULTS } from './http-settings.ts';
import type { ListenerTls } from './tls.ts';

/** A named group of listeners behind one VIP. */
export interface Gateway {
  /** `namespace/name` */
  readonly name: string;
  readonly ingressClassName: string;
  /** `namespace/name` of the ProxyVIP, or empty. */
  readonly vip: string;
}

export type ListenerProtocol = 'HTTP' | 'HTTPS';

/**
 * One listener of a gateway. Several listeners may share a port where protocol is the same and no hostname is
 * claimed twice; they then share one socket a worker.
 */
export interface Listener {
  /** `namespace/gateway/listener` */
  readonly name: string;
  /** `namespace/name` of the gateway. */
  readonly gateway: string;
  readonly port: number;
  readonly protocol: ListenerProtocol;
  /** Lower case, exact (`a.example.com`) or wildcard (`*.example.com`); empty means every host. */
  readonly hostnames: readonly string[];
  readonly http: HttpSettings;
  readonly clientAddress: ClientAddressSettings;
  /** Never null where the protocol is HTTPS, null where it is HTTP. Each listener of a port has its own. */
  readonly tls: ListenerTls | null;
}

/** A listener for which the user has said nothing. */
export const LISTENER_DEFAULTS: Pick<Listener, 'http' | 'clientAddress' | 'tls'> = {
  http: HTTP_DEFAULTS,
  clientAddress: CLIENT_ADDRESS_DEFAULTS,
  tls: null,
};
