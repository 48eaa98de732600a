export type VipMode = 'L2ARP' | 'BGP' | 'OSPF';

/** A virtual address that this node is a candidate for. */
export interface VipAssignment {
  /** `namespace/name` of the ProxyVIP. */
  readonly name: string;
  /** CIDR, usually /32 or /128. */
  readonly address: string;
  readonly mode: VipMode;
  readonly ports: readonly number[];
  readonly minHealthyNodes: number;
}
