import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status as oracle } from '@grpc/grpc-js';
import fc from 'fast-check';
import { GRPC_STATUS, GRPC_STATUS_NAMES } from '../../../src/model/grpc-status.ts';
import type { ResponseReason } from '../../../src/model/response-reason.ts';
import { RESPONSE_REASONS } from '../../../src/model/response-reason.ts';
import { grpcStatusOfHttp, grpcStatusOfReason } from '../../../src/wire/grpc/status-mapping.ts';
import { decodeStatusMessage, encodeStatusMessage } from '../../../src/wire/grpc/status-message.ts';

test('names and numbers are those of grpc-js', () => {
  assert.equal(GRPC_STATUS_NAMES.length, 17);
  for (const [number, name] of GRPC_STATUS_NAMES.entries()) {
    assert.equal(oracle[name], number);
    assert.equal(GRPC_STATUS[name], number);
  }
});

test('a status of HTTP is what clients take it for', () => {
  for (const [http, name] of [
    [400, 'INTERNAL'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'UNIMPLEMENTED'],
    [429, 'UNAVAILABLE'],
    [502, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
    [504, 'UNAVAILABLE'],
    [200, 'UNKNOWN'],
    [302, 'UNKNOWN'],
    [418, 'UNKNOWN'],
    [500, 'UNKNOWN'],
  ] as const)
    assert.equal(grpcStatusOfHttp(http), GRPC_STATUS[name], String(http));
});

test('each reason of ours has a status that is not OK', () => {
  for (const reason of Object.keys(RESPONSE_REASONS) as ResponseReason[]) {
    const status = grpcStatusOfReason(reason);
    assert.ok(status > 0 && status < GRPC_STATUS_NAMES.length, reason);
  }
  assert.equal(grpcStatusOfReason('deadline_exceeded'), GRPC_STATUS.DEADLINE_EXCEEDED);
  assert.equal(grpcStatusOfReason('upstream_timeout'), GRPC_STATUS.UNAVAILABLE);
  assert.equal(grpcStatusOfReason('pending_limit'), GRPC_STATUS.RESOURCE_EXHAUSTED);
  assert.equal(grpcStatusOfReason('route_not_found'), GRPC_STATUS.UNIMPLEMENTED);
});

test('a message is encoded as its specification shows, and comes back', () => {
  for (const [text, encoded] of [
    ['', ''],
    ['plain text, ~', 'plain text, ~'],
    ['100%', '100%25'],
    ['\r\n\t', '%0D%0A%09'],
    ['☺ 😈', '%E2%98%BA %F0%9F%98%88'],
    ['\x7f', '%7F'],
  ] as const)
    assert.equal(encodeStatusMessage(text), encoded);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeStatusMessage(text);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(decodeStatusMessage(encoded), text);
      // Independent: what the URI decoder of the language takes, it takes for the same.
      assert.equal(decodeURIComponent(encoded), text);
    }),
  );
});

test('what is no escape stays as it is, and bytes that are no UTF-8 do no harm', () => {
  for (const [encoded, text] of [
    ['%', '%'],
    ['%4', '%4'],
    ['%zz%41', '%zzA'],
    ['a%4', 'a%4'],
    ['%%41', '%A'],
    ['%ff', '\ufffd'],
  ] as const)
    assert.equal(decodeStatusMessage(encoded), text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeStatusMessage(text)));
});
