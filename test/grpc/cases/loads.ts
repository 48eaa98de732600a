import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { collect, next, unary } from '../calls.ts';
import type { Case } from '../cases.ts';
import { payload, sizesOf, succeeded } from './calls.ts';

const MANY = 1000;
const MEGABYTE = 1 << 20;
const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** Many streams, many messages, large ones, and readers that are slow. */
export const LOADS: readonly Case[] = [
  {
    name: 'a thousand streams at once, all open before the first ends',
    run: async ({ client, backend }) => {
      const calls = Array.from({ length: MANY }, () => client.fullDuplexCall());
      const ended = calls.map(collect);
      const answered = calls.map(async (call, index) => {
        call.write({ responseSizes: [index + 1] });
        return (await next(call)).payload.body.length;
      });
      assert.deepEqual(
        await Promise.all(answered),
        calls.map((_, index) => index + 1),
      );
      assert.equal(backend.calls, MANY);
      for (const call of calls) call.end();
      for (const each of await Promise.all(ended)) succeeded(each);
    },
  },
  {
    name: 'a thousand calls one after the other, ten at a time',
    run: async ({ client }) => {
      let left = MANY;
      const work = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          succeeded(await unary(client, client.unaryCall, { responseSize: left, payload: payload(left) }));
        }
      };
      await Promise.all(Array.from({ length: 10 }, work));
    },
  },
  {
    name: 'a thousand messages to and fro on one stream',
    run: async ({ client }) => {
      const call = client.fullDuplexCall();
      const ended = collect(call);
      for (let turn = 0; turn < MANY; turn += 1) {
        call.write({ responseSizes: [turn], payload: payload(turn) });
        assert.equal((await next(call)).payload.body.length, turn);
      }
      call.end();
      succeeded(await ended);
    },
  },
  {
    name: 'messages of a megabyte, both ways at once, on several streams',
    run: async ({ client }) => {
      const streams = Array.from({ length: 4 }, async () => {
        const call = client.fullDuplexCall();
        const ended = collect(call);
        const bodies = Array.from({ length: 5 }, () => randomBytes(MEGABYTE));
        for (const body of bodies)
          if (!call.write({ responseSizes: [1], payload: { body }, echo: true })) await once(call, 'drain');
        call.end();
        succeeded(await ended);
        assert.deepEqual(
          (await ended).messages.map((message) => digest(message.payload.body)),
          bodies.map(digest),
        );
      });
      await Promise.all(streams);
    },
  },
  {
    name: 'whoever reads slowly holds up nobody else, and misses nothing',
    run: async ({ client }) => {
      const sizes = Array.from({ length: 40 }, () => 100_000);
      const slow = client.streamingOutputCall({ responseSizes: sizes });
      slow.pause();
      await once(slow, 'metadata');
      for (let turn = 0; turn < 5; turn += 1) {
        const ended = await collect(client.streamingOutputCall({ responseSizes: [300_000, 300_000] }));
        succeeded(ended);
        assert.deepEqual(sizesOf(ended.messages), [300_000, 300_000]);
      }
      const late = await collect(slow.resume() as typeof slow);
      succeeded(late);
      assert.deepEqual(sizesOf(late.messages), sizes);
    },
  },
];
