import { assign, enqueueActions, setup } from 'xstate';
import type { Cluster } from '../src/model/cluster.ts';
import type { Tag, TimerEffects, TimerFired } from './vocabulary.ts';
import { backoffMs, named, reasons } from './vocabulary.ts';

/**
 * The connections to one cluster on one dataplane worker, and which of its endpoints are passed over.
 *
 *     open ──stop──> draining ──drained|timer──> closing ──> closed
 *
 *     endpoint:  in use ──failing──> ejected ──timer──> probing ──recovered──> in use
 *                                       ^───────failing────┘      (each time for twice as long)
 */
export type State = 'open' | 'draining' | 'closing' | 'closed';

export type Timer = 'drain' | `endpoint:${string}`;

export type Event =
  | { readonly type: 'changed'; readonly cluster: Cluster }
  /** Wished again, perhaps while it drains. */
  | { readonly type: 'reopen'; readonly cluster: Cluster; readonly limitSlot: number }
  | {
      readonly type: 'endpoint.failing';
      readonly endpoint: string;
      readonly reason: string;
      readonly failures: number;
    }
  | { readonly type: 'endpoint.recovered'; readonly endpoint: string }
  | { readonly type: 'endpoint.removed'; readonly endpoint: string }
  | { readonly type: 'stop' }
  | { readonly type: 'pool.drained' }
  | { readonly type: 'pool.closed'; readonly cut: number }
  | TimerFired<Timer>;

export const REASONS = [
  'changed',
  'wished_again',
  'endpoint_ejected',
  'endpoint_ejected_again',
  'already_ejected',
  'endpoint_tried_again',
  'endpoint_recovered',
  'endpoint_was_in_use',
  'endpoint_removed',
  'late_timer',
  'drain_requested',
  'already_draining',
  'drained',
  'drain_timeout',
  'closed',
  'going_away',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Input {
  readonly cluster: Cluster;
  readonly limitSlot: number;
  readonly drainTimeoutMs: number;
}

export interface Suspect {
  readonly phase: 'ejected' | 'probing';
  /** Ejections in a row, from 1. */
  readonly ejections: number;
  readonly reason: string;
}

export interface Context extends Input {
  readonly suspects: Readonly<Record<string, Suspect>>;
  readonly cut: number;
}

export interface Effects extends TimerEffects<Timer> {
  /** `anew`: whoever opened it before is gone, and with it what it knew of ejected endpoints. */
  openPool: { readonly cluster: Cluster; readonly limitSlot: number; readonly anew: boolean };
  drainPool: { readonly name: string };
  closePool: { readonly name: string };
  ejectEndpoint: { readonly cluster: string; readonly endpoint: string };
  restoreEndpoint: { readonly cluster: string; readonly endpoint: string };
}

const EJECTION = { baseMs: 1_000, maxMs: 60_000 };

const because = reasons<Reason>();
const pool = ({ context }: { context: Context }) => ({ name: context.cluster.name });

type On<T extends Event['type']> = { context: Context; event: Extract<Event, { type: T }> };
type EndpointEvent = Extract<Event, { endpoint: string }>;

const endpointOf = ({ context, event }: { context: Context; event: EndpointEvent }) => ({
  cluster: context.cluster.name,
  endpoint: event.endpoint,
});
const ejectionsAfter = ({ context, event }: { context: Context; event: EndpointEvent }) =>
  (context.suspects[event.endpoint]?.ejections ?? 0) + 1;
const without = (suspects: Context['suspects'], endpoint: string): Context['suspects'] => {
  const { [endpoint]: _gone, ...rest } = suspects;
  return rest;
};
const timed = (timer: string) => timer.slice('endpoint:'.length);

export const machine = setup({
  types: {} as { context: Context; events: Event; input: Input; tags: Tag },
  actions: named<Effects, Reason>(),
  guards: {
    phase: ({ context }, params: { endpoint: string; phase: Suspect['phase'] }) =>
      context.suspects[params.endpoint]?.phase === params.phase,
    suspect: ({ context }, params: { endpoint: string }) => context.suspects[params.endpoint] !== undefined,
  },
}).createMachine({
  id: 'upstream-pool',
  context: ({ input }) => ({ ...input, suspects: {}, cut: 0 }),
  initial: 'open',
  states: {
    open: {
      entry: {
        type: 'openPool',
        params: ({ context }) => ({ cluster: context.cluster, limitSlot: context.limitSlot, anew: true }),
      },
      exit: enqueueActions(({ context, enqueue }) => {
        for (const [endpoint, { phase }] of Object.entries(context.suspects))
          if (phase === 'ejected')
            enqueue({ type: 'cancelTimer', params: { timer: `endpoint:${endpoint}` } });
      }),
      on: {
        changed: {
          actions: [
            assign({ cluster: ({ event }) => event.cluster }),
            {
              type: 'openPool',
              params: ({ context }) => ({
                cluster: context.cluster,
                limitSlot: context.limitSlot,
                anew: false,
              }),
            },
            because('changed'),
          ],
        },
        reopen: {
          actions: [
            assign({ cluster: ({ event }) => event.cluster, limitSlot: ({ event }) => event.limitSlot }),
            {
              type: 'openPool',
              params: ({ event }: On<'reopen'>) => ({
                cluster: event.cluster,
                limitSlot: event.limitSlot,
                anew: false,
              }),
            },
            because('wished_again'),
          ],
        },
        'endpoint.failing': [
          {
            guard: { type: 'phase', params: ({ event }) => ({ endpoint: event.endpoint, phase: 'ejected' }) },
            actions: because('already_ejected'),
          },
          {
            guard: { type: 'phase', params: ({ event }) => ({ endpoint: event.endpoint, phase: 'probing' }) },
            actions: [...eject(), because('endpoint_ejected_again')],
          },
          { actions: [...eject(), because('endpoint_ejected')] },
        ],
        'timer.fired': [
          {
            guard: {
              type: 'phase',
              params: ({ event }) => ({ endpoint: timed(event.timer), phase: 'ejected' }),
            },
            actions: [
              {
                type: 'restoreEndpoint',
                params: ({ context, event }: On<'timer.fired'>) => ({
                  cluster: context.cluster.name,
                  endpoint: timed(event.timer),
                }),
              },
              assign({
                suspects: ({ context, event }) => {
                  const endpoint = timed(event.timer);
                  const suspect = context.suspects[endpoint];
                  return suspect === undefined
                    ? context.suspects
                    : { ...context.suspects, [endpoint]: { ...suspect, phase: 'probing' as const } };
                },
              }),
              because('endpoint_tried_again'),
            ],
          },
          { actions: because('late_timer') },
        ],
        'endpoint.recovered': [
          {
            guard: { type: 'phase', params: ({ event }) => ({ endpoint: event.endpoint, phase: 'ejected' }) },
            actions: [
              { type: 'restoreEndpoint', params: endpointOf },
              {
                type: 'cancelTimer',
                params: ({ event }: On<'endpoint.recovered'>) => ({
                  timer: `endpoint:${event.endpoint}` as const,
                }),
              },
              assign({ suspects: ({ context, event }) => without(context.suspects, event.endpoint) }),
              because('endpoint_recovered'),
            ],
          },
          {
            guard: { type: 'suspect', params: ({ event }) => ({ endpoint: event.endpoint }) },
            actions: [
              assign({ suspects: ({ context, event }) => without(context.suspects, event.endpoint) }),
              because('endpoint_recovered'),
            ],
          },
          { actions: because('endpoint_was_in_use') },
        ],
        'endpoint.removed': {
          actions: [
            {
              type: 'cancelTimer',
              params: ({ event }: On<'endpoint.removed'>) => ({
                timer: `endpoint:${event.endpoint}` as const,
              }),
            },
            assign({ suspects: ({ context, event }) => without(context.suspects, event.endpoint) }),
            because('endpoint_removed'),
          ],
        },
        // Of a drain that was taken back.
        'pool.drained': { actions: because('wished_again') },
        stop: { target: 'draining', actions: because('drain_requested') },
      },
    },
    draining: {
      entry: [
        { type: 'startTimer', params: ({ context }) => ({ timer: 'drain', ms: context.drainTimeoutMs }) },
        { type: 'drainPool', params: pool },
      ],
      exit: { type: 'cancelTimer', params: { timer: 'drain' } },
      on: {
        'pool.drained': { target: 'closing', actions: because('drained') },
        'timer.fired': [
          {
            guard: ({ event }) => event.timer === 'drain',
            target: 'closing',
            actions: because('drain_timeout'),
          },
          { actions: because('going_away') },
        ],
        reopen: {
          target: 'open',
          actions: [
            assign({
              cluster: ({ event }) => event.cluster,
              limitSlot: ({ event }) => event.limitSlot,
              suspects: {},
            }),
            because('wished_again'),
          ],
        },
        stop: { actions: because('already_draining') },
        'endpoint.failing': { actions: because('going_away') },
        'endpoint.recovered': { actions: because('going_away') },
        'endpoint.removed': { actions: because('going_away') },
        changed: { actions: because('going_away') },
      },
    },
    closing: {
      entry: { type: 'closePool', params: pool },
      on: {
        'pool.closed': {
          target: 'closed',
          actions: [assign({ cut: ({ event }) => event.cut }), because('closed')],
        },
        'pool.drained': { actions: because('going_away') },
        'timer.fired': { actions: because('late_timer') },
        'endpoint.failing': { actions: because('going_away') },
        'endpoint.recovered': { actions: because('going_away') },
        'endpoint.removed': { actions: because('going_away') },
        changed: { actions: because('going_away') },
        stop: { actions: because('going_away') },
      },
    },
    closed: { type: 'final' },
  },
});

function eject() {
  return [
    { type: 'ejectEndpoint' as const, params: endpointOf },
    {
      type: 'startTimer' as const,
      params: ({ context, event }: On<'endpoint.failing'>) => ({
        timer: `endpoint:${event.endpoint}` as const,
        ms: backoffMs(EJECTION, ejectionsAfter({ context, event }) - 1, 0),
      }),
    },
    assign<Context, Extract<Event, { type: 'endpoint.failing' }>, undefined, Event, never>({
      suspects: ({ context, event }) => ({
        ...context.suspects,
        [event.endpoint]: {
          phase: 'ejected' as const,
          ejections: ejectionsAfter({ context, event }),
          reason: event.reason,
        },
      }),
    }),
  ];
}
