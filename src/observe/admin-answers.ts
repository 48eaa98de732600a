import type { ActorReport } from '../model/actor.ts';
import type { NodeView } from '../model/admin.ts';
import type { ObjectView } from '../model/configuration.ts';
import type { Problem } from '../model/object.ts';
import type { NodeReport } from '../model/report.ts';
import type { Resource } from '../model/resource.ts';

/** Answers of the JSON API under `/api/v1/`, which novactl reads. */
export interface InfoAnswer {
  readonly version: string;
  /** Only an agent: the API has no objects, only the resources that serve. */
  readonly roles: readonly ('controller' | 'agent')[];
}

export interface ObjectsAnswer {
  /** False where no controller is in this process. */
  readonly held: boolean;
  readonly objects: readonly ObjectView[];
}

export interface ProblemsAnswer {
  readonly held: boolean;
  readonly problems: readonly Problem[];
}

export interface NodesAnswer {
  readonly nodes: readonly NodeView[];
}

export interface ActorsAnswer {
  readonly nodes: readonly { readonly node: string; readonly actors: readonly ActorReport[] }[];
}

export interface StatsAnswer {
  readonly nodes: readonly Omit<NodeReport, 'actors'>[];
}

export interface ResourcesAnswer {
  /** `agent`: what serves here; `controller`: what the nodes are told to serve. */
  readonly source: 'controller' | 'agent';
  readonly resources: readonly Resource[];
}

export interface ErrorAnswer {
  /** CamelCase: `NotFound`, `MethodNotAllowed`, `HostNotAllowed`, `BadRequest`, `InternalError`. */
  readonly error: string;
  readonly message: string;
  /** Names that the caller may have meant. */
  readonly nearest?: readonly string[];
}
