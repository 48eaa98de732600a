/** 253 characters of a name (RFC 1035 section 3.1), a dot and a port. */
const LONGEST_AUTHORITY = 260;
const GREATEST_PORT = 65_535;

/**
 * `uri-host [ ":" port ]` (RFC 9110 section 7.2), and of its grammar only what names a host: no user information,
 * no list, nothing that needs an escape, no empty label, no IPv6 zone.
 */
const AUTHORITY =
  /^(?:[A-Za-z0-9_-][A-Za-z0-9_~-]*(?:\.[A-Za-z0-9_~-]+)*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?$/;

/** True where `authority`, as Host or an absolute target has it, names no host. */
export function hostFault(authority: string): boolean {
  if (authority.length > LONGEST_AUTHORITY || !AUTHORITY.test(authority)) return true;
  const bracket = authority.indexOf(']');
  const port = authority.indexOf(':', bracket + 1);
  if (port !== -1 && Number(authority.slice(port + 1)) > GREATEST_PORT) return true;
  return bracket !== -1 && !URL.canParse(`http://${authority.slice(0, bracket + 1)}/`);
}

/** Lower case, without port and trailing dot. */
export function hostOf(authority: string): string {
  let host = authority.toLowerCase();
  const port = host.lastIndexOf(':');
  if (port > host.lastIndexOf(']')) host = host.slice(0, port);
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
