import type { TLocalizedValidationError } from 'typebox/error';
import { MEANS } from '../crds/schema.ts';
import { type FieldPath, valueAt } from '../parse/field-path.ts';
import type { ConfigReason } from '../reasons.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Issue, valueText } from './issue.ts';

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly [MEANS]?: string;
  readonly [keyword: string]: unknown;
}

/** Says what the schema's errors mean for someone who wrote `value`. */
export function schemaIssues(
  schema: object,
  errors: readonly TLocalizedValidationError[],
  value: unknown,
): Issue[] {
  const issues: Issue[] = [];
  // Errors within the branches of an anyOf only repeat what the anyOf says itself.
  const unions = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  const seen = new Set<string>();
  const add = (path: FieldPath, reason: ConfigReason, message: string, given?: unknown): void => {
    const key = JSON.stringify(path);
    if (seen.has(key)) return;
    seen.add(key);
    issues.push({ severity: 'error', path, reason, message, value: valueText(given) });
  };

  for (const error of errors) {
    if (error.keyword === 'boolean') continue;
    if (error.keyword !== 'anyOf' && unions.some((union) => error.schemaPath.startsWith(`${union}/anyOf`)))
      continue;
    const path = pathOf(error.instancePath, value);
    const given = valueAt(value, path);
    const at = schemaAt(schema, error.schemaPath);
    const parameters = error.params as Readonly<Record<string, unknown>>;
    switch (error.keyword) {
      case 'additionalProperties':
        for (const name of parameters.additionalProperties as string[]) {
          const known = Object.keys(at.properties ?? {});
          add(
            [...path, name],
            'UnknownField',
            `there is no field ${JSON.stringify(name)} here${didYouMean(name, known) || expectation(known)}`,
          );
        }
        break;
      case 'required':
        for (const name of parameters.requiredProperties as string[]) {
          add([...path, name], 'MissingField', 'must be given');
        }
        break;
      case 'type':
        add(path, 'WrongType', wrongType(at, given), given);
        break;
      case 'enum': {
        const allowed = (parameters.allowedValues as unknown[]).map(String);
        const hint = typeof given === 'string' ? didYouMean(given, allowed) : '';
        add(path, 'InvalidValue', `${valueText(given)} is none of ${allowed.join(', ')}${hint}`, given);
        break;
      }
      case 'pattern':
      case 'anyOf':
        add(
          path,
          'InvalidValue',
          `${valueText(given)} is not ${at[MEANS] ?? `of the form ${String(at.pattern)}`}`,
          given,
        );
        break;
      case 'minimum':
      case 'maximum':
        add(
          path,
          'InvalidValue',
          `${valueText(given)} is not between ${at.minimum ?? 'any'} and ${at.maximum ?? 'any'}`,
          given,
        );
        break;
      case 'minLength':
        add(path, 'InvalidValue', 'must not be empty', given);
        break;
      case 'maxLength':
        add(path, 'InvalidValue', `is longer than ${String(at.maxLength)} characters`, given);
        break;
      case 'minItems':
        add(path, 'InvalidValue', 'must have at least one entry', given);
        break;
      case 'maxItems':
        add(path, 'InvalidValue', `has more than ${String(at.maxItems)} entries`);
        break;
      case 'uniqueItems':
        add(path, 'InvalidValue', 'names something twice', given);
        break;
      default:
        add(path, 'InvalidValue', error.message, given);
    }
  }
  return issues;
}

function expectation(known: readonly string[]): string {
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

function wrongType(schema: JsonSchema, given: unknown): string {
  const names: Record<string, string> = {
    object: 'a mapping',
    array: 'a list',
    integer: 'a whole number',
    boolean: 'true or false',
  };
  const wanted = names[schema.type ?? ''] ?? `a ${schema.type}`;
  const is =
    given === null
      ? 'nothing'
      : Array.isArray(given)
        ? 'a list'
        : (names[typeof given] ?? `a ${typeof given}`);
  if (schema.type === 'string' && (typeof given === 'number' || typeof given === 'boolean')) {
    const { [MEANS]: means } = schema;
    if (typeof means === 'string' && !new RegExp(String(schema.pattern ?? '')).test(String(given)))
      return `must be ${means}, but is ${given}`;
    return `must be a string, but ${given} is ${typeof given === 'number' ? 'a number' : 'a truth value'}: put it in quotes`;
  }
  if (schema.type === 'integer' && typeof given === 'string') {
    return `must be a whole number, but ${valueText(given)} is a string${/^\d+$/.test(given) ? ': take the quotes away' : ''}`;
  }
  if (schema.type === 'integer' && typeof given === 'number')
    return `must be a whole number, but is ${given}`;
  return `must be ${wanted}, but is ${is}`;
}

/** JSON Pointer (RFC 6901) to a path; digits are indices only where the value is a list. */
function pathOf(pointer: string, root: unknown): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(value) ? Number(name) : name;
    path.push(step);
    value = valueAt(value, [step]);
  }
  return path;
}

function schemaAt(schema: object, pointer: string): JsonSchema {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  const found = valueAt(schema, steps);
  return typeof found === 'object' && found !== null ? (found as JsonSchema) : {};
}
