import type { ActorReport } from '../../model/actor.ts';

export interface ActorTree {
  readonly actor: ActorReport;
  readonly label: string;
  readonly children: readonly ActorTree[];
}

/** One line of what is shown: an actor, or many of a kind that are in the same state. */
export interface ShownActor {
  readonly label: string;
  /** Those it stands for; one unless they are told together. */
  readonly actors: readonly ActorReport[];
  readonly children: readonly ShownActor[];
}

/** So many siblings of a kind that are in the same state are shown one by one; those that are not well sooner. */
const LIKE_SHOWN = 5;
const UNWELL_SHOWN = 20;

/** The actors under their parents; those whose parent is not there are roots. */
export function actorTree(actors: readonly ActorReport[]): ActorTree[] {
  const known = new Set(actors.map(({ address }) => address));
  const children = new Map<string | null, ActorReport[]>();
  for (const actor of actors) {
    const parent =
      actor.parent !== null && actor.parent !== actor.address && known.has(actor.parent)
        ? actor.parent
        : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [actor]);
    else siblings.push(actor);
  }
  const grow = (parent: ActorReport | null): ActorTree[] =>
    inPlace(children.get(parent?.address ?? null) ?? []).map((actor) => ({
      actor,
      label: relativeAddress(actor.address, parent?.address),
      children: grow(actor),
    }));
  return grow(null);
}

/** So many siblings can be looked through one by one. */
const IN_PLACE_MOST = 200;
const byName = new Intl.Collator('en', { numeric: true });

/** Those of a kind by name among themselves, so that one that does not live at the moment keeps its place. */
function inPlace(siblings: readonly ActorReport[]): readonly ActorReport[] {
  if (siblings.length > IN_PLACE_MOST) return siblings;
  const kinds = Map.groupBy(siblings, kindOf);
  for (const [kind, actors] of kinds)
    if (kind !== 'supervisor') actors.sort((a, b) => byName.compare(b.address, a.address));
    else actors.reverse();
  return siblings.map((actor) => kinds.get(kindOf(actor))!.pop()!);
}

function kindOf({ address }: ActorReport): string {
  return address.split('/')[2] ?? '';
}

/** Whole segments, as in `listener/default/web`. */
export function hasPath(address: string, path: string): boolean {
  return `/${address}/`.includes(`/${path.replace(/^\/+|\/+$/g, '')}/`);
}

/** Those with the path in their address, and what is above them. */
export function withPath(trees: readonly ActorTree[], path: string): ActorTree[] {
  return trees.flatMap((tree) => {
    if (hasPath(tree.actor.address, path)) return [tree];
    const children = withPath(tree.children, path);
    return children.length === 0 ? [] : [{ ...tree, children }];
  });
}

/** One line for each actor. */
export function oneByOne(trees: readonly ActorTree[]): ShownActor[] {
  return trees.map(({ actor, label, children }) => ({
    label,
    actors: [actor],
    children: oneByOne(children),
  }));
}

/** Siblings that are alike, in what lives below them too, are told together where they are many. */
export function together(trees: readonly ActorTree[], always = false): ShownActor[] {
  const alike = new Map<string, ActorTree[]>();
  for (const tree of trees) {
    const key = likeness(tree);
    const group = alike.get(key);
    if (group === undefined) alike.set(key, [tree]);
    else group.push(tree);
  }
  return [...alike.values()].flatMap((group): ShownActor[] => {
    const first = group[0]!;
    const shown = actorTone(first.actor) === 'plain' ? LIKE_SHOWN : UNWELL_SHOWN;
    if (group.length === 1 || (!always && group.length <= shown))
      return group.map(({ actor, label, children }) => ({
        label,
        actors: [actor],
        children: together(children, always),
      }));
    return [
      {
        label: `${groupName(first.actor)} (${group.length.toLocaleString('en-US')})`,
        actors: group.map(({ actor }) => actor),
        children: together(
          group.flatMap(({ children }) => children),
          true,
        ),
      },
    ];
  });
}

/** What two trees must have in common to be told together: how many there are of a kind below does not matter. */
function likeness({ actor, children }: ActorTree): string {
  const below = new Set(children.map(likeness));
  return JSON.stringify([groupName(actor), actor.state, [...below].sort()]);
}

/** The kind; supervisors are known by their names. */
function groupName({ address }: ActorReport): string {
  const [, , kind = '', ...name] = address.split('/');
  return kind === 'supervisor' ? name.join('/') : kind || address;
}

/** The address without what it has in common with its parent's. */
function relativeAddress(address: string, parent: string | undefined): string {
  if (parent === undefined) return address;
  const segments = address.split('/');
  const parents = parent.split('/');
  let common = 0;
  while (common < segments.length - 1 && segments[common] === parents[common]) common += 1;
  return segments.slice(common).join('/');
}

/** An open circuit breaker is not well, an open pool is. */
export function actorTone({ address, state }: ActorReport): 'plain' | 'warn' | 'bad' {
  if (/fail|crash|refus|given_up|lost|kill/.test(state)) return 'bad';
  if (/drain|wait|abandon|terminat/.test(state)) return 'warn';
  return state === 'open' && address.includes('/circuit-breaker/') ? 'warn' : 'plain';
}
