/** Why an object, or a part of it, stands as it does: the closed set for conditions and problems. */
export const CONFIG_REASONS = {
  Accepted: 'Nothing is wrong with the object.',
  ResolvedRefs: 'Everything the object names is there.',
  Refused: 'Not looked at, because the object itself was refused.',

  InvalidSyntax: 'The text is not YAML.',
  NotAnObject: 'The document is not a Kubernetes object, or lacks kind or name.',
  UnknownKind: 'The kind is not one NovaEdge knows.',
  UnsupportedVersion: 'The kind is known, the apiVersion is not.',
  Unreadable: 'The file could not be read.',
  UnknownField: 'The kind has no such field.',
  MissingField: 'A field that must be there is not.',
  WrongType: 'The value is of another type than the field takes.',
  InvalidValue: 'The value is not one the field takes.',
  NotSupported: 'Valid, but does not run yet.',
  RefNotPermitted: 'The reference leads into another namespace.',
  DuplicateObject: 'The same object is defined more than once; the first definition is used.',
  LastGoodUnusable: 'The kept last good versions could not be read.',

  GatewayNotFound: 'A named ProxyGateway is not there.',
  ListenerNotFound: 'A named listener is not there, or was refused.',
  BackendNotFound: 'A named ProxyBackend is not there.',
  ServiceNotFound: 'A named Service is not there.',
  ServicePortNotFound: 'The Service has no such TCP port.',
  EndpointSlicesNotFound: 'The Service has no EndpointSlice.',
  VipNotFound: 'A named ProxyVIP is not there.',
  SecretNotFound: 'A named Secret is not there.',
  TargetNotFound: 'The target of the policy is not there.',

  NoMatchingListener: 'No listener takes a host of the route.',
  ListenersNotValid: 'Some or all listeners of the gateway were refused.',
  ProtocolConflict: 'Another listener speaks another protocol on the port.',
  SettingsConflict: 'Another listener has other settings for the whole port, and its hold.',
  HostnameConflict: 'Another listener claims the host on the port.',
  RouteConflict: 'An older route has the same match for the same host and listener.',
} as const;

export type ConfigReason = keyof typeof CONFIG_REASONS;
