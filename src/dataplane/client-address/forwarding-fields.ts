import { FIELD_ID } from '../../wire/http1/field-name.ts';
import { hostFault } from '../../wire/http1/host.ts';
import type { RequestTarget } from '../../wire/http1/target.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ClientOrigin } from './client-origin.ts';
import { parameterValue } from './forwarded-element.ts';

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]{0,15}$/;
const PORT = /^[1-9][0-9]{0,4}$/;
/** Longest that may be written of each entry beyond its text: `for="[` address `]:65535"`, host and scheme. */
const ENTRY_BYTES = 96;
/** Names of the fields, our own entry, host and scheme of the client's; host and peer beside it. */
const FIELDS_BYTES = 1024;

export interface ForwardingOptions {
  /** Of the listener. */
  readonly port: number;
  readonly origin: ClientOrigin;
}

/** What the client asked for, as a proxy we trust has seen it; empty: it does not say. */
interface Asked {
  readonly proto: string;
  readonly host: string;
  readonly port: string;
}

/** No fewer bytes than `writeForwardingFields` writes. */
export function forwardingBytes(origin: ClientOrigin, target: RequestTarget): number {
  const { count, textLength } = origin.chain;
  return FIELDS_BYTES + 2 * (textLength + count * ENTRY_BYTES) + 2 * target.authority.length;
}

/**
 * Where a request comes from, for backends: what the proxies before us have said, as far as it is believed, and our
 * peer after it. `dropped` are fields that a filter takes away or writes itself.
 */
export function writeForwardingFields(
  writer: MessageWriter,
  head: MessageHead,
  target: RequestTarget,
  options: ForwardingOptions,
  dropped: ReadonlySet<string> | null,
): void {
  const send = options.origin.addressing!.send;
  const asked = readAsked(head, options.origin);
  if (send !== 'Forwarded') writeXForwarded(writer, target, options, asked, dropped);
  if (send !== 'XForwarded' && dropped?.has('forwarded') !== true)
    writer.latin1(`Forwarded: ${forwarded(target, options, asked)}\r\n`);
}

function writeXForwarded(
  writer: MessageWriter,
  target: RequestTarget,
  options: ForwardingOptions,
  asked: Asked,
  dropped: ReadonlySet<string> | null,
): void {
  const write = (name: string, value: string): void => {
    if (value !== '' && dropped?.has(name.toLowerCase()) !== true) writer.latin1(`${name}: ${value}\r\n`);
  };
  const isSaid = asked.proto !== '' || asked.host !== '';
  write('X-Forwarded-For', xForwardedFor(options));
  write('X-Forwarded-Proto', asked.proto === '' ? schemeOf(options.origin) : asked.proto);
  // Our port is not the client's where somebody before us has taken the connection.
  write('X-Forwarded-Port', asked.port === '' && !isSaid ? String(options.port) : asked.port);
  write('X-Forwarded-Host', asked.host === '' ? target.authority : asked.host);
}

function xForwardedFor({ origin }: ForwardingOptions): string {
  const { chain } = origin;
  let text = '';
  for (let entry = chain.count - 1; entry >= 0; entry -= 1) {
    if (origin.addressing!.header === 'XForwardedFor') text += chain.texts[entry]!;
    else text += chain.isAddress(entry) ? chain.address(entry) : 'unknown';
    text += ', ';
  }
  return text + origin.peer;
}

function forwarded(target: RequestTarget, { origin }: ForwardingOptions, asked: Asked): string {
  const { chain } = origin;
  let text = '';
  for (let entry = chain.count - 1; entry >= 0; entry -= 1) {
    if (origin.addressing!.header === 'Forwarded') text += chain.texts[entry]!;
    else {
      text += `for=${chain.isAddress(entry) ? node(chain.address(entry), chain.port(entry)) : 'unknown'}`;
      if (entry === origin.clientEntry) {
        if (asked.host !== '') text += `;host=${parameterValue(asked.host)}`;
        if (asked.proto !== '') text += `;proto=${asked.proto}`;
      }
    }
    text += ', ';
  }
  text += `for=${node(origin.peer, 0)}`;
  if (target.authority !== '') text += `;host=${parameterValue(target.authority)}`;
  return `${text};proto=${schemeOf(origin)}`;
}

function schemeOf(origin: ClientOrigin): string {
  return origin.secured === null ? 'http' : 'https';
}

/** RFC 7239 section 6; `port` 0 is none. */
function node(address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return parameterValue(port === 0 ? host : `${host}:${port}`);
}

const NOTHING: Asked = { proto: '', host: '', port: '' };

function readAsked(head: MessageHead, { addressing, chain, clientEntry, isTrusted }: ClientOrigin): Asked {
  if (!isTrusted) return NOTHING;
  if (addressing!.header === 'Forwarded') {
    const parameters = clientEntry === -1 ? undefined : chain.elements[clientEntry]?.parameters;
    return {
      proto: valid(SCHEME, parameters?.get('proto')).toLowerCase(),
      host: validHost(parameters?.get('host')),
      port: '',
    };
  }
  const port = valid(PORT, only(head, FIELD_ID.X_FORWARDED_PORT));
  return {
    proto: valid(SCHEME, only(head, FIELD_ID.X_FORWARDED_PROTO)).toLowerCase(),
    host: validHost(only(head, FIELD_ID.X_FORWARDED_HOST)),
    port: Number(port) > 65_535 ? '' : port,
  };
}

/** Of several, or of a list, nobody can say which one is meant. */
function only(head: MessageHead, id: number): string | undefined {
  const field = head.find(id);
  return field === -1 || head.find(id, field + 1) !== -1 ? undefined : head.value(field);
}

function valid(pattern: RegExp, value: string | undefined): string {
  return value !== undefined && pattern.test(value) ? value : '';
}

function validHost(value: string | undefined): string {
  return value === undefined || hostFault(value) ? '' : value;
}
