/*
 * The part of the Metadata Reflection API that tsyringe (of @peculiar/x509) asks for when it is loaded. Must be
 * imported before it; leaves a full implementation alone.
 */
type Target = object;
type Property = string | symbol | undefined;

interface MetadataReflection {
  defineMetadata(key: unknown, value: unknown, target: Target, property?: Property): void;
  getOwnMetadata(key: unknown, target: Target, property?: Property): unknown;
  getMetadata(key: unknown, target: Target, property?: Property): unknown;
}

const store = new WeakMap<Target, Map<Property, Map<unknown, unknown>>>();

const reflection: MetadataReflection = {
  defineMetadata(key, value, target, property) {
    const properties = store.get(target) ?? new Map<Property, Map<unknown, unknown>>();
    store.set(target, properties);
    const values = properties.get(property) ?? new Map<unknown, unknown>();
    properties.set(property, values);
    values.set(key, value);
  },
  getOwnMetadata: (key, target, property) => store.get(target)?.get(property)?.get(key),
  getMetadata(key, target, property) {
    for (
      let holder: Target | null = target;
      holder !== null;
      holder = Object.getPrototypeOf(holder) as Target | null
    ) {
      const values = store.get(holder)?.get(property);
      if (values?.has(key) === true) return values.get(key);
    }
    return undefined;
  },
};

if (!('getMetadata' in Reflect)) Object.assign(Reflect, reflection);
