import { endpointId } from '../../model/endpoint.ts';
import type { Resource, ResourceKey, ResourceKind } from '../../model/resource.ts';
import { resourceKey } from '../../model/resource.ts';
import { clusterCodec, endpointFromMessage, endpointToMessage } from './cluster.ts';
import { FieldError } from './field.ts';
import { policyCodec } from './filter.ts';
import { gatewayCodec, listenerCodec, vipCodec } from './gateway.ts';
import { routeCodec } from './route.ts';
import { messageTypes } from './schema.ts';
import { certificateCodec } from './tls.ts';

/** A resource that cannot be sent, or bytes that are not a whole, known resource. The message names the object. */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
  /** Key of the resource, or what is known of it (`route/?`). */
  readonly key: ResourceKey;

  constructor(key: ResourceKey, why: string) {
    super(`${key}: ${why}`);
    this.key = key;
  }
}

export const RESOURCE_KINDS: readonly ResourceKind[] = [
  'gateway',
  'listener',
  'route',
  'cluster',
  'endpoint',
  'policy',
  'vip',
  'certificate',
];

const encodings = new WeakMap<Resource, Uint8Array>();

/**
 * Canonical bytes of one resource: its protobuf message with fields in the order of their numbers and without
 * defaults. Remembered for each resource object, which must not be changed.
 * @throws ResourceError where a value is outside of what the protocol allows.
 */
export function encodeResource(resource: Resource): Uint8Array {
  const known = encodings.get(resource);
  if (known !== undefined) return known;
  try {
    const bytes = encode(resource);
    encodings.set(resource, bytes);
    return bytes;
  } catch (error) {
    throw new ResourceError(resourceKey(resource), error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param cluster of an endpoint, whose bytes do not hold it; ignored for other kinds.
 * @throws ResourceError where the bytes are malformed, a value is not allowed, or a field is not known.
 */
export function decodeResource(kind: ResourceKind, bytes: Uint8Array, cluster: string): Resource {
  const resource = decode(kind, bytes, cluster);
  // What is not understood must not be dropped in silence: it would leave half an object.
  if (Buffer.compare(encodeResource(resource), bytes) !== 0) {
    throw new ResourceError(resourceKey(resource), 'holds a field that this version does not know');
  }
  return resource;
}

function encode(resource: Resource): Uint8Array {
  switch (resource.kind) {
    case 'gateway':
      return messageTypes.gateway.encode(gatewayCodec.toMessage(resource.value)).finish();
    case 'listener':
      return messageTypes.listener.encode(listenerCodec.toMessage(resource.value)).finish();
    case 'route':
      return messageTypes.route.encode(routeCodec.toMessage(resource.value)).finish();
    case 'cluster':
      return messageTypes.cluster.encode(clusterCodec.toMessage(resource.value)).finish();
    case 'endpoint':
      return messageTypes.endpoint.encode(endpointToMessage(resource.value)).finish();
    case 'policy':
      return messageTypes.policy.encode(policyCodec.toMessage(resource.value)).finish();
    case 'vip':
      return messageTypes.vip.encode(vipCodec.toMessage(resource.value)).finish();
    case 'certificate':
      return messageTypes.certificate.encode(certificateCodec.toMessage(resource.value)).finish();
  }
}

function decode(kind: ResourceKind, bytes: Uint8Array, cluster: string): Resource {
  // Known as soon as the message can be parsed, so that an error can name the object.
  let label = kind === 'endpoint' ? `${cluster}/?` : '?';
  const named = <Message extends { name: string }>(message: Message): Message => {
    if (message.name !== '') label = message.name;
    return message;
  };
  try {
    switch (kind) {
      case 'gateway':
        return { kind, value: gatewayCodec.fromMessage(named(messageTypes.gateway.decode(bytes))) };
      case 'listener':
        return { kind, value: listenerCodec.fromMessage(named(messageTypes.listener.decode(bytes))) };
      case 'route':
        return { kind, value: routeCodec.fromMessage(named(messageTypes.route.decode(bytes))) };
      case 'cluster':
        return { kind, value: clusterCodec.fromMessage(named(messageTypes.cluster.decode(bytes))) };
      case 'endpoint': {
        const message = messageTypes.endpoint.decode(bytes);
        label = `${cluster}/${endpointId(message)}`;
        return { kind, value: endpointFromMessage(message, cluster) };
      }
      case 'policy':
        return { kind, value: policyCodec.fromMessage(named(messageTypes.policy.decode(bytes))) };
      case 'vip':
        return { kind, value: vipCodec.fromMessage(named(messageTypes.vip.decode(bytes))) };
      case 'certificate':
        return { kind, value: certificateCodec.fromMessage(named(messageTypes.certificate.decode(bytes))) };
    }
  } catch (error) {
    const why = error instanceof FieldError ? error.message : `malformed bytes (${(error as Error).message})`;
    throw new ResourceError(`${kind}/${label}`, why);
  }
}
