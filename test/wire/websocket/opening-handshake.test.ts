import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HandshakeHead } from '../../../src/wire/websocket/opening-handshake.ts';
import {
  acceptKey,
  isAccepted,
  isWebSocket,
  newKey,
  switchedFields,
  upgradeFault,
  upgradeFields,
} from '../../../src/wire/websocket/opening-handshake.ts';

const head = (fields: Record<string, string>): HandshakeHead => ({
  combined: (name) => fields[name] ?? null,
});

/** RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

test('the key and what answers it are those of RFC 6455', () => {
  assert.equal(acceptKey(KEY), ACCEPT);
  assert.equal(
    switchedFields(KEY),
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`,
  );
  assert.equal(
    upgradeFields(KEY),
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n`,
  );
});

test('a new key is 16 bytes, which a server takes', () => {
  let next = 1;
  const words = (target: Uint32Array<ArrayBuffer>): void => {
    for (let at = 0; at < target.length; at += 1) target[at] = next++;
  };
  const key = newKey(words);
  assert.equal(Buffer.from(key, 'base64').length, 16);
  assert.equal(upgradeFault(head({ 'sec-websocket-key': key })), null);
  assert.notEqual(newKey(words), key);
});

test('keys that are none', () => {
  assert.equal(upgradeFault(head({})), 'missing_websocket_key');
  assert.equal(upgradeFault(head({ 'sec-websocket-key': KEY })), null);
  for (const key of [
    '',
    'short',
    KEY.slice(0, -1),
    `${KEY}=`,
    `${KEY}, ${KEY}`,
    'dGhlIHNhbXBsZSBub25jZR==',
    'dGhlIHNhbXBsZSBub25jZTE=',
    'dGhl IHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZS1x',
  ])
    assert.equal(upgradeFault(head({ 'sec-websocket-key': key })), 'invalid_websocket_key', key);
});

test('a 101 counts only where it switches to WebSocket and answers this key', () => {
  const fine = { upgrade: 'WebSocket', 'sec-websocket-accept': ACCEPT };
  assert.equal(isAccepted(head(fine), KEY), true);
  for (const wrong of [
    {},
    { upgrade: 'websocket' },
    { 'sec-websocket-accept': ACCEPT },
    { ...fine, upgrade: 'websocket, h2c' },
    { ...fine, upgrade: 'echo' },
    { ...fine, 'sec-websocket-accept': ACCEPT.toLowerCase() },
    { ...fine, 'sec-websocket-accept': `${ACCEPT}, ${ACCEPT}` },
    { ...fine, 'sec-websocket-accept': acceptKey('another') },
  ] as Record<string, string>[])
    assert.equal(isAccepted(head(wrong), KEY), false, JSON.stringify(wrong));
});

test('the name of the protocol, in any case and alone', () => {
  for (const [upgrade, is] of [
    ['websocket', true],
    ['WebSocket', true],
    ['', false],
    ['websockets', false],
    ['websocket/13', false],
    ['echo, websocket', false],
  ] as const)
    assert.equal(isWebSocket(upgrade), is, upgrade);
});
