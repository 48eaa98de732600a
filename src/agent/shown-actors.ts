import type { ActorReport } from '../model/actor.ts';
import { REPORT_SUMMARY_ITEMS, type ReportDetail } from '../model/report.ts';

/** In a summary only actors that had to be started again. */
export function shownActors(actors: readonly ActorReport[], detail: ReportDetail): readonly ActorReport[] {
  return detail === 'whole'
    ? actors
    : actors.filter((actor) => actor.restarts > 0).slice(0, REPORT_SUMMARY_ITEMS);
}
