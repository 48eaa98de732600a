import type { Sparse } from './schema.ts';

/**
 * One resource between model and protobuf message. Both directions throw a FieldError where a value is outside of
 * what the protocol allows. Fields with their default value are left undefined, so that bytes are canonical.
 */
export interface ResourceCodec<Value, Encoded, Decoded> {
  toMessage(value: Value): Sparse<Encoded>;
  fromMessage(message: Decoded): Value;
}
