import { isIP } from 'node:net';

/** What is wrong with a CIDR (`203.0.113.10/32`), or null. */
export function cidrFault(text: string): string | null {
  const slash = text.indexOf('/');
  const family = isIP(slash === -1 ? text : text.slice(0, slash));
  if (slash === -1 && family !== 0)
    return `is not a CIDR: the prefix length is missing (${text}/${family === 6 ? 128 : 32}?)`;
  if (family === 0 || text.includes('%')) {
    return 'is not a CIDR such as 192.0.2.0/24: what stands for the address is none';
  }
  const bits = text.slice(slash + 1);
  const most = family === 4 ? 32 : 128;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > most) {
    return `is not a CIDR: the prefix length of an IPv${family} address is 0 to ${most}`;
  }
  return null;
}

const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$/i;

/** An IP address or a DNS name; `1.2.3.400` is neither. */
export function isAddress(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%');
  return DNS_NAME.test(text) && !/^[0-9.]+$/.test(text);
}

/** What is wrong with a host name that has passed the schema's grammar, or null. */
export function hostnameFault(text: string): string | null {
  if (isIP(text) !== 0) return 'is an IP address: host names only';
  const long = text.split('.').find((label) => label.length > 63);
  return long === undefined ? null : 'has a label of more than 63 characters';
}
