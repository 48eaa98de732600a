import type { ChannelOptions } from '@grpc/grpc-js';
import { CALLS } from './cases/calls.ts';
import { CONNECTIONS } from './cases/connections.ts';
import { ENDS } from './cases/ends.ts';
import { LOADS } from './cases/loads.ts';
import type { Stack } from './stack.ts';

/** Runs against a stack of its own. */
export interface Case {
  readonly name: string;
  /** Of its backend. */
  readonly server?: ChannelOptions;
  run(stack: Stack): Promise<void>;
}

export const CASES: readonly Case[] = [...CALLS, ...ENDS, ...LOADS, ...CONNECTIONS];
