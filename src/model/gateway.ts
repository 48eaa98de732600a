/** A named group of listeners behind one VIP. */
export interface Gateway {
  /** `namespace/name` */
  readonly name: string;
  readonly ingressClassName: string;
  /** `namespace/name` of the ProxyVIP, or empty. */
  readonly vip: string;
}

export type ListenerProtocol = 'HTTP';

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
}
