import Type, { type TSchema } from 'typebox';
import { API_VERSION, label, objectName, stringMap, text } from './schema.ts';

const anything = () => Type.Optional(Type.Unknown());

/** ObjectMeta, apimachinery meta/v1, with the fields that an API server adds. */
const metadataFields = {
  name: objectName('Name of the object, unique among its kind in the namespace.'),
  namespace: Type.Optional(label('Namespace of the object; `default` where it is left out.')),
  labels: Type.Optional(stringMap(Type.String(), 'Labels.')),
  annotations: Type.Optional(stringMap(Type.String(), 'Annotations.')),
  creationTimestamp: Type.Optional(text('RFC 3339; older objects win conflicts.')),
  generation: Type.Optional(Type.Integer({ minimum: 0 })),
  generateName: anything(),
  uid: anything(),
  resourceVersion: anything(),
  selfLink: anything(),
  managedFields: anything(),
  ownerReferences: anything(),
  finalizers: anything(),
  deletionTimestamp: anything(),
  deletionGracePeriodSeconds: anything(),
};

export const closedMetadata = Type.Object(metadataFields, { additionalProperties: false });
export const openMetadata = Type.Object(metadataFields);

/** A whole object of one of our kinds. */
export function customObject(kind: string, spec: TSchema) {
  return Type.Object(
    {
      apiVersion: Type.Enum([API_VERSION]),
      kind: Type.Enum([kind]),
      metadata: closedMetadata,
      spec,
      status: Type.Optional(Type.Unknown()),
    },
    { additionalProperties: false },
  );
}
