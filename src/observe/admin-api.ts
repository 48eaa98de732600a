import type { AgentAdmin, ControllerAdmin, NodeView } from '../model/admin.ts';
import type { ObjectView } from '../model/configuration.ts';
import { type ObjectRef, objectText } from '../model/object.ts';
import type { NodeReport } from '../model/report.ts';
import type { ResourcesAnswer } from './admin-answers.ts';
import { type Answer, failure, json } from './answer.ts';
import { nearestNames } from './nearest.ts';

export interface AdminSubjects {
  readonly version: string;
  readonly controller: ControllerAdmin | undefined;
  readonly agent: AgentAdmin | undefined;
}

/** Answers `/api/v1/<path>`; null where there is no such endpoint. */
export async function answerApi(
  subjects: AdminSubjects,
  path: readonly string[],
  query: URLSearchParams,
): Promise<Answer | null> {
  const [endpoint, ...rest] = path;
  if (endpoint === 'objects' && rest.length === 3)
    return oneObject(subjects, rest as [string, string, string]);
  if (rest.length > 0) return null;
  switch (endpoint) {
    case 'info':
      return json({ version: subjects.version, roles: roles(subjects) });
    case 'objects':
      return objectList(subjects, query);
    case 'problems':
      return {
        type: 'list',
        fields: { held: subjects.controller !== undefined },
        name: 'problems',
        items: subjects.controller?.problems() ?? [],
      };
    case 'nodes':
      return ofNodes(subjects, query, (view) => view);
    case 'actors':
      return ofNodes(subjects, query, (view) => ({ node: view.node, actors: view.report?.actors ?? [] }));
    case 'stats':
      return ofNodes(subjects, query, (view) => (view.report === null ? null : withoutActors(view.report)));
    case 'resources': {
      const { source, resources } = servingResources(subjects);
      const kind = query.get('kind');
      return {
        type: 'list',
        fields: { source },
        name: 'resources',
        items: kind === null ? resources : resources.filter((resource) => resource.kind === kind),
      };
    }
    default:
      return null;
  }
}

function roles(subjects: AdminSubjects): ('controller' | 'agent')[] {
  return [
    ...(subjects.controller === undefined ? [] : (['controller'] as const)),
    ...(subjects.agent === undefined ? [] : (['agent'] as const)),
  ];
}

/** What serves on this node, or, without an agent in this process, what the nodes are told to serve. */
export function servingResources(subjects: AdminSubjects): ResourcesAnswer {
  if (subjects.agent !== undefined) {
    return { source: 'agent', resources: [...subjects.agent.resources().values()] };
  }
  return { source: 'controller', resources: [...(subjects.controller?.resources().values() ?? [])] };
}

function objectList(subjects: AdminSubjects, query: URLSearchParams): Answer {
  const wanted = { kind: query.get('kind'), namespace: query.get('namespace'), name: query.get('name') };
  const matches = ({ object }: ObjectView): boolean =>
    (wanted.kind === null || object.kind === wanted.kind) &&
    (wanted.namespace === null || object.namespace === wanted.namespace) &&
    (wanted.name === null || object.name === wanted.name);
  return {
    type: 'list',
    fields: { held: subjects.controller !== undefined },
    name: 'objects',
    items: (subjects.controller?.objects() ?? []).filter(matches),
  };
}

/** The path has `_` where an object has no namespace. */
function oneObject(subjects: AdminSubjects, [kind, namespacePart, name]: [string, string, string]): Answer {
  const wanted: ObjectRef = { kind, namespace: namespacePart === '_' ? '' : namespacePart, name };
  if (subjects.controller === undefined) {
    return failure(404, {
      error: 'NotFound',
      message: 'this is an agent, which holds no objects: ask its controller, or /api/v1/resources',
    });
  }
  const objects = subjects.controller.objects();
  const found = objects.find(
    ({ object }) =>
      object.kind === wanted.kind && object.namespace === wanted.namespace && object.name === wanted.name,
  );
  if (found !== undefined) return json(found);
  const others = objects.filter(({ object }) => object.kind === kind).map(({ object }) => pathName(object));
  return failure(404, {
    error: 'NotFound',
    message: `there is no ${objectText(wanted)}`,
    nearest: nearestNames(pathName(wanted), others),
  });
}

function pathName(object: ObjectRef): string {
  return object.namespace === '' ? object.name : `${object.namespace}/${object.name}`;
}

async function ofNodes(
  subjects: AdminSubjects,
  query: URLSearchParams,
  show: (view: NodeView) => unknown,
): Promise<Answer> {
  const views = await nodeViews(subjects);
  const wanted = query.get('node');
  if (wanted !== null && !views.some((view) => view.node === wanted)) {
    const names = views.map((view) => view.node);
    return failure(404, {
      error: 'NotFound',
      message: `there is no node ${wanted}`,
      nearest: nearestNames(wanted, names),
    });
  }
  const shown = views
    .filter((view) => wanted === null || view.node === wanted)
    .map(show)
    .filter((item) => item !== null);
  return { type: 'list', fields: {}, name: 'nodes', items: shown };
}

/** The controller's nodes with fresh reports; an agent in this process answers for itself. */
export async function nodeViews({ controller, agent }: AdminSubjects): Promise<readonly NodeView[]> {
  const own = await agent?.report('whole');
  // What this process has said itself need not travel through the stream too.
  await controller?.refresh(own?.node);
  const views = controller?.nodes() ?? [];
  if (own === undefined) return views;
  if (views.some((view) => view.node === own.node)) {
    return views.map((view) => (view.node === own.node ? { ...view, report: own } : view));
  }
  return [...views, ownView(own)];
}

function ownView(report: NodeReport): NodeView {
  return {
    node: report.node,
    connected: true,
    since: report.startedAt,
    wished: report.version,
    acknowledged: report.version,
    report,
  };
}

function withoutActors(report: NodeReport): Omit<NodeReport, 'actors'> {
  const { actors: _, ...rest } = report;
  return rest;
}
