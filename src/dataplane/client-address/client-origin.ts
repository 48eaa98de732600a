import type { SocketStream } from '../../os/socket-stream.ts';
import { ADDRESS_GROUPS } from '../../wire/ip-address.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import type { Secured } from '../tls/secured.ts';
import type { ClientAddressing } from './client-addressing.ts';
import { ForwardedChain } from './forwarded-chain.ts';

/** Of the request whose head is being worked on: it is written out before the next one is read. */
const chain = new ForwardedChain();

/**
 * Who a connection comes from, and each of its requests.
 *
 *     client ── proxy ── proxy ── peer ══ connection ══ here
 *        ^ entry 2  ^ entry 1 ^ entry 0 of what the peer says
 */
export class ClientOrigin {
  readonly chain = chain;
  /** Settings under which the request at hand was looked at; null: it was not. */
  addressing: ClientAddressing | null = null;
  /** What the peer says is believed. */
  isTrusted = false;
  /** Entry of the chain that names the client of the request at hand; -1: the client is the peer. */
  clientEntry = -1;
  /** What TLS on the connection has brought out; null: there is none. */
  readonly secured: Secured | null;
  readonly #stream: SocketStream;
  #peer = '';
  #announced: ProxiedConnection | null = null;
  #client = '';
  #clientPort = 0;

  constructor(stream: SocketStream, secured: Secured | null) {
    this.#stream = stream;
    this.secured = secured;
  }

  /** Address of the peer, or of whom its PROXY protocol header says that the connection is from. */
  get peer(): string {
    if (this.#peer === '') this.#peer = this.#stream.remoteAddress;
    return this.#peer;
  }

  /** Address of the client of the request at hand, as far as the proxies before us are believed. */
  get client(): string {
    return this.clientEntry === -1 ? this.peer : this.#client;
  }

  /** Before the first request; null: the connection is the peer's own. */
  announce(connection: ProxiedConnection | null): void {
    this.#announced = connection;
    if (connection !== null) this.#peer = connection.sourceAddress;
  }

  /** Of one of several requests that are under way on the connection at once. */
  forRequest(): ClientOrigin {
    const origin = new ClientOrigin(this.#stream, this.secured);
    origin.#peer = this.peer;
    origin.#announced = this.#announced;
    return origin;
  }

  /** For a new request. False: what a trusted peer says can be read in two ways. */
  identify(addressing: ClientAddressing | null, head: MessageHead): boolean {
    // The usual case: nobody is believed, and nobody was.
    if (addressing === null && this.addressing === null) return true;
    this.clientEntry = -1;
    if (this.addressing !== addressing) {
      this.addressing = addressing;
      this.isTrusted = addressing?.trusts(this.peer) === true;
    }
    chain.clear();
    if (addressing === null || !this.isTrusted) return true;
    if (!chain.read(head, addressing.header)) return false;
    const entry = addressing.trustedHops > 0 ? entryByHops(addressing.trustedHops) : entryByTrust(addressing);
    if (entry === -1) return true;
    this.clientEntry = entry;
    this.#client = chain.address(entry);
    this.#clientPort = chain.port(entry);
    return true;
  }

  /** A request of which nothing is known yet is the peer's. */
  forget(): void {
    this.clientEntry = -1;
  }

  /** As a backend is told of it: from the client of the request at hand, to where its connection was meant to go. */
  proxied(): ProxiedConnection {
    const stream = this.#stream;
    const announced = this.#announced;
    const isPeer = this.clientEntry === -1;
    return {
      sourceAddress: this.client,
      sourcePort: isPeer ? (announced?.sourcePort ?? stream.remotePort) : this.#clientPort,
      destinationAddress: announced?.destinationAddress ?? stream.localAddress,
      destinationPort: announced?.destinationPort ?? stream.localPort,
    };
  }
}

/** So many proxies stand before us, the peer is the first: the entry that the farthest of them has written. */
function entryByHops(hops: number): number {
  return chain.count >= hops && chain.isAddress(hops - 1) ? hops - 1 : -1;
}

/** The nearest entry that no trusted proxy has; where all are trusted, or one hides its client, the farthest known. */
function entryByTrust(addressing: ClientAddressing): number {
  let known = -1;
  for (let entry = 0; entry < chain.count && chain.isAddress(entry); entry += 1) {
    known = entry;
    if (!addressing.trusted!.hasGroups(chain.groups, entry * ADDRESS_GROUPS)) break;
  }
  return known;
}
