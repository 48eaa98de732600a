import type { Envelope } from '../../supervisors/envelope.ts';
import type { JournalRecord, JournalSink } from '../../supervisors/record.ts';
import type { ActorSystemOptions, SystemNotice } from '../../supervisors/system.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import type { World } from '../../supervisors/world.ts';

/** An actor system whose journal, notices and envelopes for elsewhere the test reads. */
export function recordedSystem(
  world: World,
  options: Pick<ActorSystemOptions, 'behaviors' | 'bindings'> & Partial<ActorSystemOptions>,
): { system: ActorSystem; records: JournalRecord[]; notices: SystemNotice[]; forwarded: Envelope[] } {
  const records: JournalRecord[] = [];
  const notices: SystemNotice[] = [];
  const forwarded: Envelope[] = [];
  const journal: JournalSink = {
    run: 1,
    part: 0,
    beforeEvent: () => {},
    append: (record) => void records.push(record),
  };
  const system = new ActorSystem({
    node: 'n',
    thread: 'main',
    world,
    journal,
    onNotice: (notice) => void notices.push(notice),
    forward: (envelope) => void forwarded.push(envelope),
    ...options,
  });
  return { system, records, notices, forwarded };
}
