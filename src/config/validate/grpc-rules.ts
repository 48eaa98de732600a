import { GRPC_STATUS_NAMES } from '../../model/grpc-status.ts';
import type { RouteMatchSpec, RouteRuleSpec } from '../crds/proxy-route.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { grpcStatusNumber } from '../snapshot/grpc.ts';
import { didYouMean } from './did-you-mean.ts';
import { expressionRules } from './expression-rules.ts';
import type { Report } from './issue.ts';

/** Names as protobuf has them; those of a service with its package before it. */
const NAMES = {
  service: {
    grammar: /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/,
    means: 'service such as shop.v1.Orders',
  },
  method: { grammar: /^[A-Za-z_][A-Za-z0-9_]*$/, means: 'method such as Get' },
} as const;

export function grpcMatchRules({ grpc, path: other }: RouteMatchSpec, path: FieldPath, report: Report): void {
  if (grpc === undefined) return;
  if (other !== undefined) report([...path, 'grpc'], 'InvalidValue', 'path and grpc exclude each other');
  if (grpc.service === undefined && grpc.method === undefined)
    report([...path, 'grpc', 'service'], 'MissingField', 'must be given (or method)');
  for (const field of ['service', 'method'] as const) {
    const value = grpc[field];
    if (value === undefined) continue;
    const here = [...path, 'grpc', field];
    if (grpc.type === 'RegularExpression') expressionRules(value, here, report);
    else if (!NAMES[field].grammar.test(value))
      report(
        here,
        'InvalidValue',
        `${JSON.stringify(value)} is not the name of a ${NAMES[field].means}`,
        value,
      );
  }
}

export function grpcRetryRules(
  { conditions, grpcCodes }: NonNullable<RouteRuleSpec['retry']>,
  path: FieldPath,
  report: Report,
): void {
  const here = [...path, 'grpcCodes'];
  const wanted = conditions.includes('GRPCStatus');
  if (wanted && (grpcCodes ?? []).length === 0)
    report(here, 'MissingField', 'must be given for the condition GRPCStatus');
  if (!wanted && grpcCodes !== undefined) {
    report(
      here,
      'InvalidValue',
      `does not go with the conditions ${conditions.join(', ')}; GRPCStatus takes it`,
    );
  }
  const seen = new Set<number>();
  for (const [index, code] of (grpcCodes ?? []).entries()) {
    const number = grpcStatusNumber(code);
    if (number === 0) report([...here, index], 'InvalidValue', 'OK is no failure to ask again for', code);
    else if (number === -1) {
      const hint = typeof code === 'string' ? didYouMean(code, GRPC_STATUS_NAMES) : '';
      report(
        [...here, index],
        'InvalidValue',
        `${JSON.stringify(code)} is no status of gRPC (${GRPC_STATUS_NAMES.slice(1).join(', ')}, or 1 to 16)${hint}`,
        code,
      );
    } else if (seen.has(number))
      report([...here, index], 'InvalidValue', `${GRPC_STATUS_NAMES[number]} is named twice`, code);
    seen.add(number);
  }
}
