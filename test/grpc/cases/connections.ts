import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { collect, next, unary } from '../calls.ts';
import type { Case } from '../cases.ts';
import { FRAME } from '../relay.ts';
import { inputCall, payload, succeeded } from './calls.ts';

/** What becomes of calls whose connections break, end, or are asked whether they live. */
export const CONNECTIONS: readonly Case[] = [
  {
    name: 'a backend that dies mid-stream makes its calls UNAVAILABLE, and the next one finds it again',
    run: async ({ client, back }) => {
      const calls = Array.from({ length: 20 }, () => client.fullDuplexCall());
      const ended = calls.map(collect);
      await Promise.all(
        calls.map((call) => {
          call.write({ responseSizes: [1000] });
          return next(call);
        }),
      );
      back.cut();
      for (const { code, messages } of await Promise.all(ended)) {
        assert.equal(code, status.UNAVAILABLE);
        assert.equal(messages.length, 1);
      }
      succeeded(await unary(client, client.emptyCall, {}, { options: { deadline: Date.now() + 30_000 } }));
    },
  },
  {
    name: 'a backend that dies before it answers makes the call UNAVAILABLE',
    run: async ({ client, backend, back }) => {
      const { call, ended } = inputCall(client);
      call.write({ payload: payload(10) });
      await backend.untilCalled(1);
      back.close();
      assert.equal((await ended).code, status.UNAVAILABLE);
    },
  },
  {
    name: 'nobody there is UNAVAILABLE',
    run: async ({ client, back }) => {
      back.close();
      assert.equal((await unary(client, client.emptyCall, {})).code, status.UNAVAILABLE);
    },
  },
  {
    name: 'a backend that is shut down ends what is under way as if nothing were',
    run: async ({ client, backend, restart, back }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: [10] });
      await next(call);
      const over = backend.shutdown();
      await back.until(() => back.sent('server', FRAME.GOAWAY) > 0);
      const after = await restart();
      succeeded(await unary(client, client.emptyCall, {}, { options: { deadline: Date.now() + 30_000 } }));
      assert.equal(after.calls, 1);
      call.write({ responseSizes: [20, 30] });
      call.end();
      succeeded(await ended);
      assert.deepEqual(
        (await ended).messages.map((message) => message.payload.body.length),
        [10, 20, 30],
      );
      await over;
    },
  },
  {
    name: 'a backend that renews its connections again and again loses no call',
    server: { 'grpc.max_connection_age_ms': 60 },
    run: async ({ client, back }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: [10] });
      await next(call);
      while (back.sent('server', FRAME.GOAWAY) < 5)
        succeeded(await unary(client, client.unaryCall, { payload: payload(1000), responseSize: 1000 }));
      call.write({ responseSizes: [20] });
      call.end();
      succeeded(await ended);
    },
  },
  {
    name: 'a client may ask whether the connection lives, without and with calls',
    run: async ({ connect, front }) => {
      const client = connect({
        'grpc.keepalive_time_ms': 20,
        'grpc.keepalive_timeout_ms': 20_000,
        'grpc.keepalive_permit_without_calls': 1,
      });
      succeeded(await unary(client, client.emptyCall, {}));
      // Its own, without acknowledgements, are half of what it sends at most.
      await front.until(() => front.sent('server', FRAME.PING) >= 3);
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: [10] });
      await next(call);
      const before = front.sent('server', FRAME.PING);
      await front.until(() => front.sent('server', FRAME.PING) >= before + 3);
      call.end();
      succeeded(await ended);
      assert.equal(front.connections, 1);
      assert.equal(front.sent('server', FRAME.GOAWAY), 0);
    },
  },
  {
    name: 'a client that goes takes its calls back',
    run: async ({ client, backend, front }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: [10] });
      await next(call);
      front.cut();
      assert.equal((await ended).code, status.UNAVAILABLE);
      await backend.untilCancelled(1);
    },
  },
];
