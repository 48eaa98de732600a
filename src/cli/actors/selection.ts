import type { ActorReport } from '../../model/actor.ts';
import type { ActorsAnswer } from '../../observe/admin-answers.ts';
import { actorTree, hasPath, oneByOne, type ShownActor, together, withPath } from './tree.ts';

/** Which actors somebody wants to see. */
export interface ActorSelection {
  readonly node?: string | undefined;
  /** Part of the address; undefined is everything. */
  readonly path?: string | undefined;
  /** One line for each, however many are alike. */
  readonly all?: boolean | undefined;
}

export function shownActors({ nodes }: ActorsAnswer, { path, all }: ActorSelection): ShownActor[] {
  return nodes.flatMap(({ actors }) => {
    const tree = actorTree(actors);
    if (path !== undefined) return oneByOne(withPath(tree, path));
    return all === true ? oneByOne(tree) : together(tree);
  });
}

/** Without those above. */
export function selected(actors: readonly ActorReport[], { path }: ActorSelection): readonly ActorReport[] {
  return path === undefined ? actors : actors.filter(({ address }) => hasPath(address, path));
}
