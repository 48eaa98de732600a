import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference, isListed } from './differential.ts';
import { DISAGREEMENTS } from './disagreements.ts';
import { damage, requestStream, wholeAnswer } from './generator.ts';
import { RequestOracle, readAnswer } from './llhttp-oracle.ts';
import { NASTY_ANSWERS } from './nasty-answers.ts';
import { NASTY_REQUESTS } from './nasty-requests.ts';
import type { Role } from './stream.ts';
import { readStream } from './stream.ts';

/*
 * node:http's parser (llhttp) as an oracle. A message that both take has to mean the same to both: method, target,
 * version, fields in order, body, trailer, whether the connection is kept, and where the next one starts. Whatever
 * else there is stands in DISAGREEMENTS, each class with our decision; anything that is not there fails.
 */
/** The same each time; it is the fuzzer that looks elsewhere. */
const SEED = Number(process.env.NOVAEDGE_SEED ?? 1);
const oracle = new RequestOracle();
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

async function assertListed(role: Role, text: string): Promise<void> {
  const found = await difference(role, latin1(text), oracle);
  if (found !== null)
    assert.ok(isListed(role, found, text), `${JSON.stringify(found)} in ${JSON.stringify(text)}`);
}

test('streams of requests by the grammar: what we take, llhttp understands the same', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(requestStream, async (text) => {
      await assertListed('request', text);
      taken += readStream('request', latin1(text)).messages.length;
    }),
    { numRuns: 2000, seed: SEED },
  );
  assert.ok(taken > 1000, `${taken} were taken: the generator only makes rubbish`);
});

test('damaged streams of requests: taken alike, or the difference is a listed decision', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(requestStream, fc.array(damage, { minLength: 1, maxLength: 3 }), async (text, harms) => {
      const damaged = harms.reduce((harmed, harm) => harm(harmed), text);
      await assertListed('request', damaged);
      taken += readStream('request', latin1(damaged)).messages.length;
    }),
    { numRuns: 3000, seed: SEED },
  );
  assert.ok(taken > 500, `${taken} were taken`);
});

test('answers by the grammar: what we take, llhttp understands the same', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(wholeAnswer, async (text) => {
      await assertListed('response', text);
      taken += readStream('response', latin1(text)).messages.length;
    }),
    { numRuns: 2000, seed: SEED },
  );
  assert.ok(taken > 1000, `${taken} were taken`);
});

test('damaged answers: taken alike, or the difference is a listed decision', async () => {
  await fc.assert(
    fc.asyncProperty(wholeAnswer, fc.array(damage, { minLength: 1, maxLength: 3 }), async (text, harms) =>
      assertListed(
        'response',
        harms.reduce((harmed, harm) => harm(harmed), text),
      ),
    ),
    { numRuns: 3000, seed: SEED },
  );
});

test('the tables of nasty messages: every disagreement is listed', async () => {
  for (const { text } of NASTY_REQUESTS) await assertListed('request', text);
  for (const { text } of NASTY_ANSWERS) await assertListed('response', text);
});

for (const { role, side, key, example, why } of DISAGREEMENTS) {
  test(`listed for ${role}: ${side} ${key}: ${why}`, async () => {
    const found = await difference(role, latin1(example), oracle);
    assert.deepEqual(found, { side, key });
    assert.ok(isListed(role, found!, example));
  });
}

test('the oracle reads what it should, or all of this would prove nothing', async () => {
  const text =
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n' +
    'GET /b HTTP/1.0\r\nX: y\r\n\r\n';
  assert.deepEqual(await oracle.read(latin1(text)), {
    messages: [
      {
        start: 'POST /a 1.1',
        fields: ['Host: h', 'Transfer-Encoding: chunked'],
        body: 'abc',
        trailer: ['T: 1'],
        keepAlive: true,
      },
      { start: 'GET /b 1.0', fields: ['X: y'], body: '', trailer: [], keepAlive: false },
    ],
    code: '',
    upgraded: false,
  });
  const answer = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Yes\r\nContent-Length: 2\r\nA: b\r\n\r\nok';
  assert.deepEqual(await readAnswer(latin1(answer), 'GET'), {
    messages: [
      { start: '1.1 100 Continue', fields: [], body: '', trailer: [], keepAlive: true },
      {
        start: '1.1 200 Yes',
        fields: ['Content-Length: 2', 'A: b'],
        body: 'ok',
        trailer: [],
        keepAlive: true,
      },
    ],
    code: '',
    upgraded: false,
  });
});
