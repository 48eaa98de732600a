/**
 * Names and messages of the diagnostics channels (node:diagnostics_channel) through which rooms publish what
 * happened; metrics, logs and traces subscribe. Nothing is published per request.
 */
export const CHANNELS = {
  reconciled: 'novaedge:config:reconciled',
  watched: 'novaedge:config:watched',
  certified: 'novaedge:config:certified',
  pushed: 'novaedge:control:pushed',
  applied: 'novaedge:agent:applied',
  journaled: 'novaedge:agent:journaled',
} as const;

/** One run of the configuration pipeline. */
export interface Reconciled {
  readonly seconds: number;
  readonly changed: number;
  readonly removed: number;
  readonly problems: number;
}

/** One change that the source saw. */
export interface Watched {
  readonly kind: string;
  readonly change: 'added' | 'modified' | 'deleted' | 'failed';
}

/** The certificates that objects name, when one of them is another than it was. */
export interface Certified {
  /** At most CERTIFICATES_PUBLISHED, those that end first. `notAfter` in ms since the epoch. */
  readonly certificates: readonly { readonly name: string; readonly notAfter: number }[];
}

export const CERTIFICATES_PUBLISHED = 1000;

/** One update sent to a node, and what it answered. */
export interface Pushed {
  readonly node: string;
  readonly result: 'sent' | 'ack' | 'nack' | 'refused';
  readonly bytes: number;
}

/** One update carried out by an agent. */
export interface Applied {
  readonly version: string;
  readonly seconds: number;
  readonly failures: number;
}

/** A thread's journal cannot be written any more, or can be again. */
export interface Journaled {
  readonly thread: string;
  readonly failing: boolean;
  /** Records that could not be written, told when it is over. */
  readonly lost: number;
}
