import { configStreamService } from './schema.ts';

/** The one method of the ConfigStream service. */
export const CONFIG_STREAM_PATH: string = configStreamService.Connect!.path;

const MEBIBYTE = 1024 * 1024;

/**
 * gRPC channel options of both sides. A peer that vanished without a word is noticed after at most keepalive time
 * and timeout together (10 s).
 */
export const STREAM_OPTIONS = {
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.keepalive_permit_without_calls': 1,
} as const;

/** A part is about 1 MiB, a single resource may be larger. */
export const CONTROLLER_MESSAGE_LIMIT: number = 32 * MEBIBYTE;

/** A report lists every endpoint: 50,000 of them are about 10 MiB of JSON. */
export const AGENT_MESSAGE_LIMIT: number = 64 * MEBIBYTE;
