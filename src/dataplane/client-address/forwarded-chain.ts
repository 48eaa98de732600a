import { FIELD_ID } from '../../wire/http1/field-name.ts';
import { ADDRESS_GROUPS, formatAddress, parseAddress } from '../../wire/ip-address.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ForwardedElement } from './forwarded-element.ts';
import { parseForwarded } from './forwarded-element.ts';

/** Entries of a chain that are looked at and passed on, counted from its end. */
export const MOST_ENTRIES = 100;

const NONE = 0;
const ADDRESS = 1;
/** The proxy does not say: `unknown`, an obfuscated name (RFC 7239 section 6.3), or an element without `for`. */
const HIDDEN = 2;
type NodeKind = typeof NONE | typeof ADDRESS | typeof HIDDEN;

const PORT = /^[0-9]{1,5}$/;
const OBFUSCATED = /^_[A-Za-z0-9._-]+$/;

/**
 * What the proxies before us have said of one request, the nearest first: our peer has written entry 0, the one
 * before it entry 1, and so on. It ends before the first entry that is not well-formed.
 *
 *     X-Forwarded-For: bogus, 203.0.113.7, 198.51.100.1
 *                             ^ entry 1    ^ entry 0           count 2
 */
export class ForwardedChain {
  count = 0;
  /** Of all entries together. */
  textLength = 0;
  /** As they came. */
  readonly texts: string[] = [];
  /** Of the field Forwarded alone. */
  readonly elements: (ForwardedElement | null)[] = [];
  readonly groups = new Uint16Array(MOST_ENTRIES * ADDRESS_GROUPS);
  readonly #kinds = new Uint8Array(MOST_ENTRIES);
  readonly #ports = new Uint16Array(MOST_ENTRIES);

  clear(): void {
    this.count = 0;
    this.textLength = 0;
  }

  /** False: a Forwarded field of the head is not well-formed, so nobody can say where its entries begin. */
  read(head: MessageHead, header: 'XForwardedFor' | 'Forwarded'): boolean {
    this.clear();
    const id = header === 'Forwarded' ? FIELD_ID.FORWARDED : FIELD_ID.X_FORWARDED_FOR;
    for (let field = head.fieldCount - 1; field >= 0; field -= 1) {
      if (head.ids[field] !== id) continue;
      if (header === 'Forwarded') {
        const elements = parseForwarded(head.value(field), MOST_ENTRIES);
        if (elements === null) return false;
        if (!this.#takeElements(elements)) break;
      } else if (!this.#readXForwardedFor(head.value(field))) break;
    }
    return true;
  }

  isAddress(entry: number): boolean {
    return this.#kinds[entry] === ADDRESS;
  }

  /** In its one spelling; entries that are addresses only. */
  address(entry: number): string {
    return formatAddress(this.groups, entry * ADDRESS_GROUPS);
  }

  /** 0: not said. */
  port(entry: number): number {
    return this.#ports[entry]!;
  }

  /** False: the chain ends here. */
  #readXForwardedFor(value: string): boolean {
    let end = value.length;
    while (end > 0) {
      const comma = value.lastIndexOf(',', end - 1);
      const text = value.slice(comma + 1, end).trim();
      end = comma;
      if (text === '') continue;
      if (this.count === MOST_ENTRIES) return false;
      const kind = this.#readNode(text);
      if (kind === NONE) return false;
      this.#add(text, kind, null);
    }
    return true;
  }

  #takeElements(elements: readonly ForwardedElement[]): boolean {
    for (const element of elements) {
      if (this.count === MOST_ENTRIES) return false;
      const node = element.parameters.get('for');
      const kind = node === undefined ? HIDDEN : this.#readForwardedNode(node);
      if (kind === NONE) return false;
      this.#add(element.text, kind, element);
    }
    return true;
  }

  #add(text: string, kind: NodeKind, element: ForwardedElement | null): void {
    const entry = this.count;
    this.texts[entry] = text;
    this.elements[entry] = element;
    this.#kinds[entry] = kind;
    this.textLength += text.length;
    this.count += 1;
  }

  /** RFC 7239 section 6: an IPv6 address has brackets, and either may have a port. */
  #readForwardedNode(node: string): NodeKind {
    const colon = node.startsWith('[') ? node.indexOf(':', node.indexOf(']')) : node.indexOf(':');
    const name = colon === -1 ? node : node.slice(0, colon);
    const port = colon === -1 ? '0' : node.slice(colon + 1);
    const isObfuscated = OBFUSCATED.test(port);
    if (!isObfuscated && !isPort(port)) return NONE;
    this.#ports[this.count] = isObfuscated ? 0 : Number(port);
    if (name.toLowerCase() === 'unknown' || OBFUSCATED.test(name)) return HIDDEN;
    return this.#readHost(name);
  }

  /** No RFC: an address, `unknown`, and of some proxies `IPv4:port` or `[IPv6]:port`. */
  #readNode(text: string): NodeKind {
    this.#ports[this.count] = 0;
    if (parseAddress(text, this.groups, this.count * ADDRESS_GROUPS) !== 0) return ADDRESS;
    if (text.toLowerCase() === 'unknown') return HIDDEN;
    const colon = text.lastIndexOf(':');
    if (colon <= text.lastIndexOf(']')) return this.#readHost(text);
    const port = text.slice(colon + 1);
    if (!isPort(port)) return NONE;
    this.#ports[this.count] = Number(port);
    return this.#readHost(text.slice(0, colon));
  }

  #readHost(host: string): NodeKind {
    const isBracketed = host.startsWith('[');
    if (isBracketed && !host.endsWith(']')) return NONE;
    const start = isBracketed ? 1 : 0;
    const form = parseAddress(host, this.groups, this.count * ADDRESS_GROUPS, start, host.length - start);
    return form === (isBracketed ? 6 : 4) ? ADDRESS : NONE;
  }
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}
