import type { ClientAddressSettings } from '../../model/http-settings.ts';
import { CidrSet } from './cidr-set.ts';

/** The settings of a port, ready for use: whose word is taken for where a client is, and how it is passed on. */
export class ClientAddressing {
  readonly header: ClientAddressSettings['header'];
  readonly send: ClientAddressSettings['send'];
  readonly trustedHops: number;
  /** Null where hops are counted alone. */
  readonly trusted: CidrSet | null;
  /** Requests get more than the fields of a client that nobody speaks for. */
  readonly concernsRequests: boolean;
  readonly #announced: CidrSet | null;

  /** Throws a RangeError that names a CIDR which is none. */
  constructor(settings: ClientAddressSettings) {
    this.header = settings.header;
    this.send = settings.send;
    this.trustedHops = settings.trustedHops;
    this.trusted = settings.trustedProxies.length === 0 ? null : new CidrSet(settings.trustedProxies);
    this.#announced =
      settings.proxyProtocolFrom.length === 0 ? null : new CidrSet(settings.proxyProtocolFrom);
    this.concernsRequests = this.trusted !== null || this.trustedHops > 0 || this.send !== 'XForwarded';
  }

  /** Null where the settings ask for nothing, so that nothing is looked at. Throws as the constructor. */
  static of(settings: ClientAddressSettings): ClientAddressing | null {
    const addressing = new ClientAddressing(settings);
    return addressing.concernsRequests || addressing.#announced !== null ? addressing : null;
  }

  /** Connections of this peer begin with a PROXY protocol header. */
  announces(peer: string): boolean {
    return this.#announced?.has(peer) === true;
  }

  /** What this peer says of its clients is believed. */
  trusts(peer: string): boolean {
    return this.trusted === null ? this.trustedHops > 0 : this.trusted.has(peer);
  }
}
