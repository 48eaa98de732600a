import assert from 'node:assert/strict';
import { Metadata, status } from '@grpc/grpc-js';
import { collect, next, unary } from '../calls.ts';
import type { Case } from '../cases.ts';
import { ECHO_TRAILING } from '../server.ts';
import { inputCall, payload, sizesOf, succeeded } from './calls.ts';

/** What the specification of the interop suite asks for, and what URI encoding may not touch. */
const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n 100%';

/** How calls end that do not just succeed. */
export const ENDS: readonly Case[] = [
  {
    name: 'cancel_after_begin',
    run: async ({ client, backend }) => {
      const { call, ended } = inputCall(client);
      await backend.untilCalled(1);
      call.cancel();
      assert.equal((await ended).code, status.CANCELLED);
      await backend.untilCancelled(1);
    },
  },
  {
    name: 'cancel_after_first_response',
    run: async ({ client, backend }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      call.write({ responseSizes: [31_415], payload: payload(27_182) });
      await next(call);
      call.cancel();
      assert.equal((await ended).code, status.CANCELLED);
      await backend.untilCancelled(1);
    },
  },
  {
    name: 'a hundred cancelled calls leave the next ones alone',
    run: async ({ client, backend }) => {
      for (let turn = 1; turn <= 100; turn += 1) {
        const { call, ended } = inputCall(client);
        await backend.untilCalled(turn);
        call.cancel();
        assert.equal((await ended).code, status.CANCELLED);
      }
      await backend.untilCancelled(100);
      succeeded(await unary(client, client.emptyCall, {}));
    },
  },
  {
    name: 'timeout_on_sleeping_server',
    run: async ({ client, backend }) => {
      // It answers nothing to a message that asks for none.
      const call = client.fullDuplexCall(new Metadata(), { deadline: Date.now() + 100 });
      const ended = collect(call);
      call.write({ payload: payload(27_182) });
      assert.equal((await ended).code, status.DEADLINE_EXCEEDED);
      if (backend.calls > 0) await backend.untilCancelled(1);
    },
  },
  {
    name: 'status_code_and_message',
    run: async ({ client }) => {
      for (let code = 1; code <= 16; code += 1) {
        const responseStatus = { code, message: `test status ${code}` };
        const call = client.fullDuplexCall();
        const streamed = collect(call);
        call.write({ responseStatus });
        call.end();
        for (const ended of [await unary(client, client.unaryCall, { responseStatus }), await streamed]) {
          assert.equal(ended.code, code);
          assert.equal(ended.details, responseStatus.message);
          assert.deepEqual(ended.messages, []);
        }
      }
    },
  },
  {
    name: 'special_status_message',
    run: async ({ client }) => {
      const ended = await unary(client, client.unaryCall, {
        responseStatus: { code: status.UNKNOWN, message: SPECIAL },
      });
      assert.equal(ended.code, status.UNKNOWN);
      assert.equal(ended.details, SPECIAL);
    },
  },
  {
    name: 'a status with metadata after messages',
    run: async ({ client }) => {
      const metadata = new Metadata();
      metadata.set(ECHO_TRAILING, Buffer.from('why'));
      const request = {
        responseSizes: [5, 70_000],
        responseStatus: { code: status.DATA_LOSS, message: 'lost' },
      };
      const ended = await collect(client.streamingOutputCall(request, metadata));
      assert.deepEqual(sizesOf(ended.messages), [5, 70_000]);
      assert.equal(ended.code, status.DATA_LOSS);
      assert.equal(ended.details, 'lost');
      assert.deepEqual(ended.trailing.get(ECHO_TRAILING), [Buffer.from('why')]);
    },
  },
  {
    name: 'unimplemented_method',
    run: async ({ client }) => {
      const ended = await unary(client, client.unimplementedCall, {});
      assert.equal(ended.code, status.UNIMPLEMENTED);
    },
  },
  {
    name: 'unimplemented_service',
    run: async ({ unimplemented }) => {
      const ended = await unary(unimplemented, unimplemented.unimplementedCall, {});
      assert.equal(ended.code, status.UNIMPLEMENTED);
    },
  },
  {
    name: 'a status that comes before the request has ended',
    run: async ({ client }) => {
      const responseStatus = { code: status.FAILED_PRECONDITION, message: 'enough' };
      const { call, ended } = inputCall(client);
      call.write({ payload: payload(100_000) });
      call.write({ responseStatus });
      assert.equal((await ended).code, status.FAILED_PRECONDITION);
      assert.equal((await ended).details, 'enough');
      // The connection serves on.
      succeeded(await unary(client, client.emptyCall, {}));
    },
  },
  {
    name: 'a status that comes while the request is still being sent',
    run: async ({ client }) => {
      const { call, ended } = inputCall(client);
      call.write({ responseStatus: { code: status.ABORTED, message: 'enough' } });
      for (let turn = 0; turn < 8; turn += 1) call.write({ payload: payload(500_000) });
      assert.equal((await ended).code, status.ABORTED);
      succeeded(await unary(client, client.emptyCall, {}));
    },
  },
  {
    name: 'health checks',
    run: async ({ health, backend }) => {
      const serving = await unary(health, health.check, { service: '' });
      assert.deepEqual(serving.messages, [{ status: 'SERVING' }]);
      const unknown = await unary(health, health.check, { service: 'nobody' });
      assert.equal(unknown.code, status.NOT_FOUND);
      const watch = health.watch({ service: '' });
      const watched = collect(watch);
      assert.deepEqual(await next(watch), { status: 'SERVING' });
      const changed = next(watch);
      backend.setHealth('NOT_SERVING');
      assert.deepEqual(await changed, { status: 'NOT_SERVING' });
      watch.cancel();
      assert.equal((await watched).code, status.CANCELLED);
    },
  },
];
