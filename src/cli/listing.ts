import type { ObjectView } from '../model/configuration.ts';
import type { Resource } from '../model/resource.ts';
import { nearestNames } from '../observe/nearest.ts';
import { age } from './age.ts';
import { CONDITION_COLUMNS, conditionCells, wrongText } from './conditions.ts';
import { CommandFailure, didYouMean, EXIT } from './failure.ts';
import { textAt } from './manifest.ts';
import { printStructured, printTable } from './print.ts';
import { listNamespace, type Session } from './session.ts';
import type { Cell, Column } from './table.ts';

/** How one kind of object is listed. `Facts` is what else its columns need to know. */
export interface Listing<Facts> {
  readonly kind: string;
  /** As in "No gateways in namespace default". */
  readonly nouns: string;
  readonly columns: readonly Column[];
  /** Only with -o wide. */
  readonly wideColumns: readonly Column[];
  /** Reads what the cells need beyond the objects. */
  facts(session: Session): Promise<Facts>;
  cells(view: ObjectView, facts: Facts): readonly Cell[];
  wideCells(view: ObjectView, facts: Facts): readonly Cell[];
  /** What is not right beyond the conditions; empty where all is well. */
  note?(view: ObjectView, facts: Facts): string;
  /** What an agent, which holds no objects, shows instead; null: nothing. */
  readonly resource: {
    readonly kind: Resource['kind'];
    readonly columns: readonly Column[];
    cells(resource: Resource, facts: Facts): readonly Cell[];
  } | null;
}

/** Prints the objects of a kind; of an agent the resources that serve. */
export async function showList<Facts>(session: Session, listing: Listing<Facts>): Promise<void> {
  const { held, objects } = await session.client.get('objects', { kind: listing.kind });
  if (!held) return showResources(session, listing);
  const namespace = listNamespace(session);
  const shown = objects.filter(({ object }) => inNamespace(object.namespace, namespace));
  if (session.output === 'json' || session.output === 'yaml') {
    printStructured(session, { apiVersion: 'v1', kind: 'List', items: shown.map(withStatus) });
    return;
  }
  if (shown.length === 0) return noteEmpty(session, listing.nouns, namespace, objects.length);
  printObjects(session, listing, await listing.facts(session), shown, namespace === null);
}

function printObjects<Facts>(
  session: Session,
  listing: Listing<Facts>,
  facts: Facts,
  shown: readonly ObjectView[],
  withNamespace: boolean,
): void {
  const wide = session.output === 'wide';
  const columns = [
    ...(withNamespace ? [{ title: 'NAMESPACE' }] : []),
    { title: 'NAME' },
    ...listing.columns,
    ...(wide ? listing.wideColumns : []),
    ...CONDITION_COLUMNS,
    { title: 'AGE' },
    { title: 'REASON', prose: true },
  ];
  const rows = shown.map((view) => [
    ...(withNamespace ? [view.object.namespace] : []),
    view.object.name,
    ...listing.cells(view, facts),
    ...(wide ? listing.wideCells(view, facts) : []),
    ...conditionCells(view),
    age(textAt(view.manifest, 'metadata', 'creationTimestamp'), session.now),
    { text: wrongText(view) || (listing.note?.(view, facts) ?? ''), tone: 'warn' as const },
  ]);
  printTable(session, columns, rows);
}

/** Objects without a namespace are in every namespace's list. */
function inNamespace(namespace: string, wanted: string | null): boolean {
  return wanted === null || namespace === wanted || namespace === '';
}

function noteEmpty(session: Session, nouns: string, namespace: string | null, elsewhere: number): void {
  if (namespace === null) session.note(`No ${nouns}.`);
  else {
    const others = elsewhere === 0 ? '' : ` (${elsewhere} in other namespaces: -A shows them)`;
    session.note(`No ${nouns} in namespace ${namespace}${others}.`);
  }
}

/** The user's object with its conditions where Kubernetes has them. */
export function withStatus(view: ObjectView): Record<string, unknown> {
  const { status, ...rest } = view.manifest;
  return { ...rest, status: { ...(typeof status === 'object' ? status : {}), conditions: view.conditions } };
}

export const AGENT_NOTE =
  'This is an agent, which holds no objects: shown are the resources that serve. Ask its controller for the objects.';

async function showResources<Facts>(session: Session, listing: Listing<Facts>): Promise<void> {
  const { resource: shape } = listing;
  if (shape === null) {
    throw new CommandFailure(
      EXIT.failure,
      `this is an agent, which holds no objects, and a ${listing.kind} is no resource that serves: ask its controller`,
    );
  }
  const { resources } = await session.client.get('resources', { kind: shape.kind });
  session.note(AGENT_NOTE);
  const namespace = listNamespace(session);
  const shown = resources.filter((resource) => inNamespace(splitName(resource).namespace, namespace));
  if (printStructured(session, { kind: 'List', source: 'agent', items: shown.map(({ value }) => value) }))
    return;
  if (shown.length === 0) return noteEmpty(session, listing.nouns, namespace, resources.length);
  const facts = await listing.facts(session);
  printTable(
    session,
    [...(namespace === null ? [{ title: 'NAMESPACE' }] : []), { title: 'NAME' }, ...shape.columns],
    shown.map((resource) => [
      ...(namespace === null ? [splitName(resource).namespace] : []),
      splitName(resource).name,
      ...shape.cells(resource, facts),
    ]),
  );
}

function splitName(resource: Resource): { namespace: string; name: string } {
  const name = resource.kind === 'endpoint' ? resource.value.cluster : resource.value.name;
  const slash = name.indexOf('/');
  return slash < 0
    ? { namespace: '', name }
    : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** Prints one object, or fails with the nearest names. `name` may be `namespace/name`. */
export async function showOne<Facts>(session: Session, listing: Listing<Facts>, name: string): Promise<void> {
  const slash = name.indexOf('/');
  const wanted = slash < 0 ? name : name.slice(slash + 1);
  const namespace = slash < 0 ? listNamespace(session) : name.slice(0, slash);
  const { held, objects } = await session.client.get('objects', { kind: listing.kind });
  if (!held) return showOneResource(session, listing, namespace, wanted);
  const found = objects.filter(
    ({ object }) => object.name === wanted && inNamespace(object.namespace, namespace),
  );
  if (found.length === 0) {
    throw notFound(
      listing.kind,
      namespace,
      wanted,
      objects.map(({ object }) => object),
    );
  }
  if (session.output === 'json' || session.output === 'yaml') {
    const items = found.map(withStatus);
    printStructured(session, items.length === 1 ? items[0] : { apiVersion: 'v1', kind: 'List', items });
    return;
  }
  printObjects(session, listing, await listing.facts(session), found, true);
}

async function showOneResource<Facts>(
  session: Session,
  listing: Listing<Facts>,
  namespace: string | null,
  name: string,
): Promise<void> {
  const resources =
    listing.resource === null
      ? []
      : (await session.client.get('resources', { kind: listing.resource.kind })).resources;
  const found = resources.filter(
    (resource) => splitName(resource).name === name && inNamespace(splitName(resource).namespace, namespace),
  );
  if (found.length === 0) throw notFound(listing.kind, namespace, name, resources.map(splitName));
  session.note(AGENT_NOTE);
  const [first] = found;
  const value = found.length === 1 ? first!.value : { kind: 'List', items: found.map((item) => item.value) };
  if (printStructured(session, value)) return;
  const facts = await listing.facts(session);
  printTable(
    session,
    [{ title: 'NAMESPACE' }, { title: 'NAME' }, ...(listing.resource?.columns ?? [])],
    found.map((resource) => [
      splitName(resource).namespace,
      splitName(resource).name,
      ...(listing.resource?.cells(resource, facts) ?? []),
    ]),
  );
}

function notFound(
  kind: string,
  namespace: string | null,
  name: string,
  objects: readonly { readonly namespace: string; readonly name: string }[],
): CommandFailure {
  const full = (object: { namespace: string; name: string }): string =>
    object.namespace === '' || object.namespace === namespace
      ? object.name
      : `${object.namespace}/${object.name}`;
  const elsewhere = objects.filter((object) => object.name === name).map(full);
  const nearest = elsewhere.length > 0 ? elsewhere : nearestNames(name, objects.map(full));
  const where = namespace === null ? 'any namespace' : `namespace ${namespace}`;
  return new CommandFailure(EXIT.failure, `there is no ${kind} ${name} in ${where}${didYouMean(nearest)}`);
}
