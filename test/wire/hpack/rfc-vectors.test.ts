import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { listOf, RecordingBlock } from './recording-block.ts';

interface Step {
  readonly hex: string;
  readonly list: readonly string[];
}

const REQUESTS: readonly (readonly string[])[] = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];
const DATE = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const LOCATION = 'location: https://www.example.com';
const ANSWERS: readonly (readonly string[])[] = [
  [':status: 302', 'cache-control: private', DATE, LOCATION],
  [':status: 307', 'cache-control: private', DATE, LOCATION],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    LOCATION,
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];

/** RFC 7541 appendix C; the answers come with a table of 256 bytes. */
const VECTORS: Readonly<Record<string, { table: number; steps: readonly Step[] }>> = {
  'C.2.1 literal with indexing': {
    table: 4096,
    steps: [
      { hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572', list: ['custom-key: custom-header'] },
    ],
  },
  'C.2.2 literal without indexing': {
    table: 4096,
    steps: [{ hex: '040c2f73616d706c652f70617468', list: [':path: /sample/path'] }],
  },
  'C.2.3 literal never indexed': {
    table: 4096,
    steps: [{ hex: '100870617373776f726406736563726574', list: ['password: secret'] }],
  },
  'C.2.4 indexed': { table: 4096, steps: [{ hex: '82', list: [':method: GET'] }] },
  'C.3 requests': {
    table: 4096,
    steps: [
      { hex: '828684410f7777772e6578616d706c652e636f6d', list: REQUESTS[0]! },
      { hex: '828684be58086e6f2d6361636865', list: REQUESTS[1]! },
      { hex: '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', list: REQUESTS[2]! },
    ],
  },
  'C.4 requests, Huffman': {
    table: 4096,
    steps: [
      { hex: '828684418cf1e3c2e5f23a6ba0ab90f4ff', list: REQUESTS[0]! },
      { hex: '828684be5886a8eb10649cbf', list: REQUESTS[1]! },
      { hex: '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', list: REQUESTS[2]! },
    ],
  },
  'C.5 answers with evictions': {
    table: 256,
    steps: [
      {
        hex:
          '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
          '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
        list: ANSWERS[0]!,
      },
      { hex: '4803333037c1c0bf', list: ANSWERS[1]! },
      {
        hex:
          '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d' +
          '4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b207665727369' +
          '6f6e3d31',
        list: ANSWERS[2]!,
      },
    ],
  },
  'C.6 answers with evictions, Huffman': {
    table: 256,
    steps: [
      {
        hex: '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        list: ANSWERS[0]!,
      },
      { hex: '4883640effc1c0bf', list: ANSWERS[1]! },
      {
        hex:
          '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b' +
          '3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
        list: ANSWERS[2]!,
      },
    ],
  },
};

for (const [name, { table, steps }] of Object.entries(VECTORS)) {
  test(name, () => {
    const decoder = new HpackDecoder(4096);
    const block = new RecordingBlock();
    if (table !== 4096) {
      // 001 and the size: 256 is 31 and 225.
      assert.equal(decoder.decode(Buffer.from('3fe101', 'hex'), 0, 3, block), true);
    }
    for (const { hex, list } of steps) {
      const bytes = Buffer.from(hex, 'hex');
      block.clear();
      assert.equal(decoder.decode(bytes, 0, bytes.length, block), true);
      assert.deepEqual(block.list, list);
    }
  });
}

test('a request of the appendix as a head', () => {
  const bytes = Buffer.from('828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex');
  const block = new HeaderBlock();
  assert.equal(new HpackDecoder(4096).decode(bytes, 0, bytes.length, block), true);
  assert.equal(block.conclude('request', true), null);
  assert.deepEqual(listOf(block), []);
  assert.equal(block.text(block.methodStart, block.targetEnd), 'GET /');
  assert.equal(block.text(block.framing.hostStart, block.framing.hostEnd), 'www.example.com');
});
