import { assign, setup } from 'xstate';
import type { ReportDetail } from '../src/model/report.ts';
import type { ObjectFailure, SnapshotVersion } from '../src/model/snapshot.ts';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { backoffMs, named, reasons } from './vocabulary.ts';

/**
 * The stream from the controller. It handles updates by nonce and version; their content stays where it was
 * received, so this machine and its journal are as small for 50,000 endpoints as for one.
 *
 *     connecting ──connected──> streaming ──disconnected──> waiting ──timer──> connecting
 */
export type State = 'connecting' | 'streaming' | 'waiting' | 'stopped';

export type Event =
  | { readonly type: 'connected' }
  /** `draw` in [0, 1) jitters the wait. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly draw: number }
  | {
      readonly type: 'update.received';
      readonly nonce: number;
      readonly base: SnapshotVersion;
      readonly version: SnapshotVersion;
      readonly upserts: number;
      readonly removals: number;
      /** The first few of the changed keys, for people. */
      readonly keys: readonly string[];
      readonly bytes: number;
    }
  | { readonly type: 'update.staged'; readonly nonce: number; readonly version: SnapshotVersion }
  /** Its content does not give its version. */
  | {
      readonly type: 'update.refused';
      readonly nonce: number;
      readonly version: SnapshotVersion;
      readonly reason: string;
    }
  | {
      readonly type: 'rollout.finished';
      /** Of the last update that it carried; 0: of none. */
      readonly nonce: number;
      readonly version: SnapshotVersion;
      readonly failures: readonly ObjectFailure[];
    }
  | { readonly type: 'report.requested' }
  | { readonly type: 'stop' }
  | TimerFired<Timer>;

export type Timer = 'connect' | 'reconnect' | 'report';

export const REASONS = [
  'connected',
  'connect_timeout',
  'connection_lost',
  'connect_refused',
  'tried_again',
  'update_received',
  'update_staged',
  'update_corrupt',
  'acknowledged',
  'failures_reported',
  'outcome_reported',
  'not_connected',
  'report_requested',
  'report_due',
  'late_answer',
  'late_timer',
  'stopped',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Input {
  readonly connectTimeoutMs: number;
  readonly reportIntervalMs: number;
}

export interface Context extends Input {
  readonly attempt: number;
  /** Why there is no stream; empty while there is one. */
  readonly problem: string;
  /** Nonce of the update that is being rolled out and not yet answered; 0 is none. */
  readonly nonce: number;
  /** Of the same update: a controller that has started again counts its nonces anew. */
  readonly version: SnapshotVersion;
}

export interface Effects extends TimerEffects<Timer> {
  connect: { readonly attempt: number };
  closeStream: Record<never, never>;
  /** Closes an attempt that nobody answered; answers `disconnected`, which brings the draw for the wait. */
  abandonConnect: { readonly reason: string };
  /** Checks the content that came with the nonce; answers `update.staged` or `update.refused`. */
  stageUpdate: { readonly nonce: number };
  rollOut: { readonly nonce: number; readonly version: SnapshotVersion };
  ack: { readonly nonce: number; readonly version: SnapshotVersion };
  nack: {
    readonly nonce: number;
    readonly version: SnapshotVersion;
    readonly failures: readonly ObjectFailure[];
    readonly refused: boolean;
  };
  sendReport: { readonly detail: ReportDetail };
}

const RECONNECT = { baseMs: 200, maxMs: 10_000 };

const because = reasons<Reason>();
const rollOut = {
  type: 'rollOut' as const,
  params: ({ event }: { event: Extract<Event, { type: 'update.staged' }> }) => ({
    nonce: event.nonce,
    version: event.version,
  }),
};
const disconnected = [
  assign<Context, Extract<Event, { type: 'disconnected' }>, undefined, Event, never>({
    problem: ({ event }) => event.reason,
    attempt: ({ context }) => context.attempt + 1,
    nonce: 0,
  }),
  {
    type: 'startTimer' as const,
    params: ({ context, event }: { context: Context; event: Extract<Event, { type: 'disconnected' }> }) => ({
      timer: 'reconnect' as const,
      ms: backoffMs(RECONNECT, context.attempt - 1, event.draw),
    }),
  },
];
const reportTimer = {
  type: 'startTimer' as const,
  params: ({ context }: { context: Context }) => ({ timer: 'report' as const, ms: context.reportIntervalMs }),
};

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: {
    connectTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'connect',
    reconnectTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'reconnect',
    reportTimer: ({ event }) => event.type === 'timer.fired' && event.timer === 'report',
  },
}).createMachine({
  id: 'config-stream',
  context: ({ input }) => ({ ...input, attempt: 0, problem: 'not connected yet', nonce: 0, version: '' }),
  initial: 'connecting',
  states: {
    connecting: {
      entry: [
        { type: 'startTimer', params: ({ context }) => ({ timer: 'connect', ms: context.connectTimeoutMs }) },
        { type: 'connect', params: ({ context }) => ({ attempt: context.attempt }) },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'connect' } },
      on: {
        connected: {
          target: 'streaming',
          actions: [assign({ attempt: 0, problem: '' }), because('connected')],
        },
        disconnected: { target: 'waiting', actions: [...disconnected, because('connect_refused')] },
        'timer.fired': [
          {
            guard: 'connectTimer',
            actions: [
              { type: 'abandonConnect', params: { reason: 'the controller did not answer in time' } },
              because('connect_timeout'),
            ],
          },
          { actions: because('late_timer') },
        ],
        'update.staged': { actions: [rollOut, because('update_staged')] },
        'update.refused': { actions: because('not_connected') },
        'rollout.finished': { actions: because('not_connected') },
        stop: { target: 'stopped', actions: [{ type: 'closeStream', params: {} }, because('stopped')] },
      },
    },
    streaming: {
      entry: [reportTimer, { type: 'sendReport', params: { detail: 'summary' } }],
      exit: { type: 'cancelTimer', params: { timer: 'report' } },
      on: {
        connected: { actions: because('late_answer') },
        'update.received': {
          actions: [
            { type: 'stageUpdate', params: ({ event }) => ({ nonce: event.nonce }) },
            because('update_received'),
          ],
        },
        'update.staged': {
          actions: [
            assign({ nonce: ({ event }) => event.nonce, version: ({ event }) => event.version }),
            rollOut,
            because('update_staged'),
          ],
        },
        'update.refused': {
          actions: [
            {
              type: 'nack',
              params: ({ event }) => ({
                nonce: event.nonce,
                version: event.version,
                failures: [],
                refused: true,
              }),
            },
            because('update_corrupt'),
          ],
        },
        'rollout.finished': [
          {
            // An update is answered once. What fails or heals afterwards, the controller reads from the report.
            guard: ({ context, event }) =>
              event.nonce === 0 || event.nonce !== context.nonce || event.version !== context.version,
            actions: [{ type: 'sendReport', params: { detail: 'summary' } }, because('outcome_reported')],
          },
          {
            guard: ({ event }) => event.failures.length > 0,
            actions: [
              {
                type: 'nack',
                params: ({ event }) => ({
                  nonce: event.nonce,
                  version: event.version,
                  failures: event.failures,
                  refused: false,
                }),
              },
              assign({ nonce: 0 }),
              because('failures_reported'),
            ],
          },
          {
            actions: [
              { type: 'ack', params: ({ event }) => ({ nonce: event.nonce, version: event.version }) },
              assign({ nonce: 0 }),
              because('acknowledged'),
            ],
          },
        ],
        'report.requested': {
          actions: [{ type: 'sendReport', params: { detail: 'whole' } }, because('report_requested')],
        },
        'timer.fired': [
          {
            guard: 'reportTimer',
            actions: [
              { type: 'sendReport', params: { detail: 'summary' } },
              reportTimer,
              because('report_due'),
            ],
          },
          { actions: because('late_timer') },
        ],
        disconnected: { target: 'waiting', actions: [...disconnected, because('connection_lost')] },
        stop: { target: 'stopped', actions: [{ type: 'closeStream', params: {} }, because('stopped')] },
      },
    },
    waiting: {
      exit: { type: 'cancelTimer', params: { timer: 'reconnect' } },
      on: {
        'timer.fired': [
          { guard: 'reconnectTimer', target: 'connecting', actions: because('tried_again') },
          { actions: because('late_timer') },
        ],
        // Its content was checked, so it is worth rolling out, though nobody can be told.
        'update.staged': { actions: [rollOut, because('update_staged')] },
        'update.refused': { actions: because('not_connected') },
        'rollout.finished': { actions: because('not_connected') },
        'update.received': { actions: because('late_answer') },
        'report.requested': { actions: because('late_answer') },
        disconnected: { actions: because('late_answer') },
        stop: { target: 'stopped', actions: because('stopped') },
      },
    },
    stopped: { type: 'final' },
  },
});
