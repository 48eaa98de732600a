import { status } from '@grpc/grpc-js';

/**
 * Why a stream ended, for people: gRPC's words without the noise of its resolver, and where these say little, what
 * is usually behind them.
 */
export function endReason(code: status, details: string): string {
  const said = details
    .replace(/\s+/g, ' ')
    .replace(/^No connection established\. Last error: /, '')
    .replace(/ ?Resolution note: ?$/, '')
    .replace(/^(Error|TypeError)( \[\w+\])?: /, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '')
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):.*$/, 'TLS: $1')
    .replace(/; if the root CA is installed locally.*/, ': it is not of the authority in --ca')
    .trim()
    .replace(/\.+$/, '');
  return `${status[code]}: ${said}${hint(said)}`;
}

function hint(said: string): string {
  if (/wrong version number|packet length too long/.test(said))
    return ' (the controller seems to speak plaintext)';
  if (/alert (bad certificate|certificate|unknown)/.test(said)) {
    return ' (the controller does not take the certificate of this agent)';
  }
  if (/^Failed to connect|socket disconnected before secure TLS|ECONNRESET/.test(said)) {
    return ' (the controller hung up: it does not take the certificate of this agent, or it wants TLS and this agent speaks plaintext)';
  }
  return '';
}
