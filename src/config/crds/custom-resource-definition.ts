import { closedMetadata } from './metadata.ts';
import { type CustomKind, GROUP, VERSION } from './schema.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The apiextensions/v1 CustomResourceDefinition of a kind. Structural schemas know neither `additionalProperties:
 * false` (unknown fields are pruned, or refused by `kubectl --validate=strict`) nor annotations of our own.
 */
export function customResourceDefinition(kind: CustomKind): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: kind.shortNames,
        categories: ['novaedge'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...kind.columns,
            {
              name: 'Accepted',
              type: 'string',
              jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
            },
            {
              name: 'Programmed',
              type: 'string',
              jsonPath: '.status.conditions[?(@.type=="Programmed")].status',
            },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.summary,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: {
                  type: 'object',
                  properties: { name: structural(closedMetadata.properties.name, false) },
                },
                spec: structural(kind.spec, true),
                status: STATUS,
              },
            },
          },
        },
      ],
    },
  };
}

const STATUS: Json = {
  type: 'object',
  description: 'What became of the object; written by the controller.',
  properties: {
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
        properties: {
          type: { type: 'string', maxLength: 316 },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          reason: { type: 'string', maxLength: 1024 },
          message: { type: 'string', maxLength: 32_768 },
          observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
          lastTransitionTime: { type: 'string', format: 'date-time' },
        },
      },
    },
  },
};

const KEYWORDS = new Set([
  'type',
  'description',
  'default',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'anyOf',
  'x-kubernetes-int-or-string',
]);

/** JSON Schema to the structural subset. `uniqueItems: true` is forbidden there; a list of type `set` says the same. */
function structural(schema: unknown, described: boolean): Json {
  const from = schema as Json;
  const to: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(from)) {
    if (!KEYWORDS.has(keyword) || (keyword === 'description' && !described)) continue;
    to[keyword] = value;
  }
  if (from['x-kubernetes-int-or-string'] === true) {
    return {
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
      description: from.description,
    };
  }
  if (from.type === 'integer') to.format = Number(from.maximum ?? 0) > 2_147_483_647 ? 'int64' : 'int32';
  if (from.uniqueItems === true) to['x-kubernetes-list-type'] = 'set';
  if (from.items !== undefined) to.items = structural(from.items, described);
  if (typeof from.properties === 'object' && from.properties !== null) {
    if (Array.isArray(from.required) && from.required.length > 0) to.required = from.required;
    to.properties = Object.fromEntries(
      Object.entries(from.properties).map(([name, property]) => [name, structural(property, described)]),
    );
  } else if (typeof from.additionalProperties === 'object') {
    to.additionalProperties = structural(from.additionalProperties, described);
  }
  return to;
}
