import { isIP } from 'node:net';
import { isAddress } from './address-rules.ts';
import type { Report } from './issue.ts';
import type { TypedObject } from './typed-object.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

const FAMILY = { IPv4: 4, IPv6: 6, FQDN: 0 } as const;

export function coreRules(object: TypedObject, report: Report, warn: Report): void {
  if (object.kind !== 'EndpointSlice') return;
  const slice = object as TypedObject<'EndpointSlice'>;
  if (slice.labels[SERVICE_NAME_LABEL] === undefined) {
    warn(
      ['metadata', 'labels'],
      'MissingField',
      `without the label ${SERVICE_NAME_LABEL} the slice belongs to no Service`,
    );
  }
  const { addressType, endpoints } = slice.content;
  for (const [index, endpoint] of (endpoints ?? []).entries()) {
    for (const [position, address] of endpoint.addresses.entries()) {
      if (isIP(address) !== FAMILY[addressType] || (addressType === 'FQDN' && !isAddress(address))) {
        report(
          ['endpoints', index, 'addresses', position],
          'InvalidValue',
          `${JSON.stringify(address)} is not of addressType ${addressType}`,
          address,
        );
      }
    }
  }
}
