import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { compressionAlgorithms, Metadata, status } from '@grpc/grpc-js';
import type { Ended } from '../calls.ts';
import { collect, next, unary, whenAnswered } from '../calls.ts';
import type { Case } from '../cases.ts';
import type { InputRequest, InputResponse, OutputResponse } from '../schema.ts';
import { ECHO_INITIAL, ECHO_TRAILING } from '../server.ts';

export const REQUEST_SIZES = [27_182, 8, 1828, 45_904];
export const RESPONSE_SIZES = [31_415, 9, 2653, 58_979];

export const payload = (size: number) => ({ body: Buffer.alloc(size) });
export const sizesOf = (messages: readonly OutputResponse[]): number[] =>
  messages.map((message) => message.payload.body.length);

export function succeeded({ code, details }: Ended<unknown>): void {
  assert.equal(code, status.OK, details);
}

/** What the four kinds of calls carry. */
export const CALLS: readonly Case[] = [
  {
    name: 'empty_unary',
    run: async ({ client }) => {
      const ended = await unary(client, client.emptyCall, {});
      succeeded(ended);
      assert.deepEqual(ended.messages, [{}]);
    },
  },
  {
    name: 'large_unary',
    run: async ({ client }) => {
      const request = { responseSize: 314_159, payload: payload(271_828) };
      const ended = await unary(client, client.unaryCall, request);
      succeeded(ended);
      assert.equal(ended.messages[0]!.payload!.body.length, 314_159);
    },
  },
  {
    name: 'client_streaming',
    run: async ({ client }) => {
      const { call, ended } = inputCall(client);
      for (const size of REQUEST_SIZES) call.write({ payload: payload(size) });
      call.end();
      succeeded(await ended);
      assert.deepEqual((await ended).messages, [{ aggregatedPayloadSize: 74_922 }]);
    },
  },
  {
    name: 'server_streaming',
    run: async ({ client }) => {
      const ended = await collect(client.streamingOutputCall({ responseSizes: RESPONSE_SIZES }));
      succeeded(ended);
      assert.deepEqual(sizesOf(ended.messages), RESPONSE_SIZES);
    },
  },
  {
    name: 'ping_pong',
    run: async ({ client }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      for (const [turn, size] of RESPONSE_SIZES.entries()) {
        call.write({ responseSizes: [size], payload: payload(REQUEST_SIZES[turn]!) });
        assert.equal((await next(call)).payload.body.length, size);
      }
      call.end();
      succeeded(await ended);
    },
  },
  {
    name: 'empty_stream',
    run: async ({ client }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.end();
      succeeded(await ended);
      assert.deepEqual((await ended).messages, []);
    },
  },
  {
    name: 'messages without a byte are messages',
    run: async ({ client }) => {
      const ended = await collect(client.streamingOutputCall({ responseSizes: [0, 0, 1, 0] }));
      succeeded(ended);
      assert.deepEqual(sizesOf(ended.messages), [0, 0, 1, 0]);
    },
  },
  {
    name: 'an answer goes on after the request has ended',
    run: async ({ client }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: RESPONSE_SIZES });
      call.write({ responseSizes: RESPONSE_SIZES });
      call.end();
      succeeded(await ended);
      assert.deepEqual(sizesOf((await ended).messages), [...RESPONSE_SIZES, ...RESPONSE_SIZES]);
    },
  },
  {
    name: 'every byte comes as it was sent, in order',
    run: async ({ client }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      const bodies = [1, 65_535, 16_384, 3, 200_000, 16_379].map((size) => randomBytes(size));
      for (const body of bodies) call.write({ responseSizes: [1], payload: { body }, echo: true });
      call.end();
      succeeded(await ended);
      assert.deepEqual(
        (await ended).messages.map((message) => message.payload.body),
        bodies,
      );
    },
  },
  {
    name: 'custom_metadata',
    run: async ({ client }) => {
      const binary = [Buffer.from([...Array(256).keys()]), Buffer.from([0xab, 0xcd]), Buffer.alloc(0)];
      const metadata = new Metadata();
      metadata.set(ECHO_INITIAL, 'test_initial_metadata_value, with = and ;');
      for (const value of binary) metadata.add(ECHO_TRAILING, value);
      const call = client.fullDuplexCall(metadata);
      const streamed = collect(call);
      call.write({ responseSizes: [314], payload: payload(271) });
      call.end();
      const alone = await unary(
        client,
        client.unaryCall,
        { responseSize: 314, payload: payload(271) },
        { metadata },
      );
      for (const ended of [alone, await streamed]) {
        succeeded(ended);
        assert.deepEqual(ended.initial.get(ECHO_INITIAL), ['test_initial_metadata_value, with = and ;']);
        assert.deepEqual(ended.trailing.get(ECHO_TRAILING), binary);
      }
    },
  },
  {
    name: 'many fields, in both directions',
    run: async ({ client }) => {
      const metadata = new Metadata();
      const values = Array.from({ length: 40 }, (_, index) => Buffer.alloc(90, index + 1));
      for (const value of values) metadata.add(ECHO_TRAILING, value);
      for (let index = 0; index < 30; index += 1) metadata.set(`x-field-${index}`, 'v'.repeat(index * 5));
      const ended = await unary(client, client.unaryCall, {}, { metadata });
      succeeded(ended);
      assert.deepEqual(ended.trailing.get(ECHO_TRAILING), values);
    },
  },
  {
    name: 'messages that are compressed stay so on their way',
    run: async ({ connect, front, back }) => {
      // A server of grpc-js reads them, but writes none.
      const client = connect({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
      const request = { responseSize: 9, payload: payload(271_828) };
      const ended = await unary(client, client.unaryCall, request);
      succeeded(ended);
      assert.equal(ended.messages[0]!.payload!.body.length, 9);
      const { call, ended: streamed } = inputCall(client);
      for (const size of REQUEST_SIZES) call.write({ payload: payload(size) });
      call.end();
      succeeded(await streamed);
      assert.deepEqual((await streamed).messages, [{ aggregatedPayloadSize: 74_922 }]);
      for (const relay of [front, back]) assert.ok(relay.bytesIn < 10_000, `${relay.bytesIn}`);
    },
  },
  {
    name: 'the deadline reaches the backend',
    run: async ({ client }) => {
      const deadline = Date.now() + 60_000;
      const [timed, untimed] = await Promise.all([
        unary(client, client.unaryCall, {}, { options: { deadline } }),
        unary(client, client.unaryCall, {}),
      ]);
      const left = timed.messages[0]!.deadlineLeft!;
      assert.ok(left > 30_000 && left <= 60_000, String(left));
      assert.equal(untimed.messages[0]!.deadlineLeft, 0);
    },
  },
];

/** A call that sends messages and gets one. */
export function inputCall(client: Parameters<Case['run']>[0]['client']): {
  readonly call: { write(request: InputRequest): boolean; end(): void; cancel(): void };
  readonly ended: Promise<Ended<InputResponse>>;
} {
  return whenAnswered<InputResponse, ReturnType<typeof client.streamingInputCall>>((answered) =>
    client.streamingInputCall(new Metadata(), {}, answered),
  );
}
