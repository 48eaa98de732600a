/** What stands in place of a secret in logs, dumps and answers. */
export const REDACTED = '<redacted>';

/** Names of fields, headers and parameters whose text is never shown; compared in lower case. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'apikey',
  'api_key',
  'password',
  'passphrase',
  'token',
  'access_token',
  'secret',
  'clientsecret',
  'privatekey',
  'ticketkeys',
]);

/** Depth to which log fields are searched; log calls nest no deeper. */
const LOG_DEPTH = 4;

const LOG_SPELLINGS = [
  'authorization',
  'Authorization',
  'proxy-authorization',
  'Proxy-Authorization',
  'cookie',
  'Cookie',
  'set-cookie',
  'Set-Cookie',
  'x-api-key',
  'X-Api-Key',
  'apiKey',
  'password',
  'passphrase',
  'token',
  'secret',
  'clientSecret',
  'privateKey',
  'ticketKeys',
  'stringData',
];

/** Paths in pino's redaction syntax. */
export const LOG_REDACTION_PATHS: readonly string[] = LOG_SPELLINGS.flatMap((name) =>
  Array.from({ length: LOG_DEPTH }, (_, depth) => `${'*.'.repeat(depth).slice(0, -1)}["${name}"]`),
);

/** A key that stands where none should, such as in a field for the name of a file. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

export function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase());
}

/**
 * Replacer for JSON.stringify: hides the text of secret fields, of `{ name, value }` pairs with a secret name
 * (headers, parameters) and of the data of Kubernetes Secrets.
 */
export function redactingReplacer(key: string, value: unknown): unknown {
  if (typeof value === 'string') {
    if (value === '') return value;
    return isSecretName(key) || PRIVATE_KEY.test(value) ? REDACTED : value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields.name === 'string' && typeof fields.value === 'string') {
    return isSecretName(fields.name) ? { ...fields, value: REDACTED } : value;
  }
  if (fields.kind === 'Secret') {
    return { ...fields, ...hidden(fields, 'data'), ...hidden(fields, 'stringData') };
  }
  return value;
}

function hidden(secret: Readonly<Record<string, unknown>>, field: string): Record<string, unknown> {
  const data = secret[field];
  if (typeof data !== 'object' || data === null) return {};
  return { [field]: Object.fromEntries(Object.keys(data).map((name) => [name, REDACTED])) };
}
