import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Import, importsOf, projectFiles, readProjectFile } from './sources.ts';

interface Room {
  readonly path: string;
  /** Rooms it may import beside itself. */
  readonly rooms: readonly string[];
  /** Packages and node: modules it may import; undefined is any. */
  readonly packages?: readonly RegExp[];
  /** Rooms it may import types of. */
  readonly types?: readonly string[];
}

const BELOW_AGENT = [
  'src/model',
  'src/wire',
  'src/os',
  'src/dataplane',
  'actors',
  'supervisors',
  'src/observe',
];

/** Imports point one way: `model ← actors ← supervisors` and `model ← wire ← os ← dataplane` meet in agent. */
const ROOMS: readonly Room[] = [
  { path: 'src/model', rooms: [], packages: [] },
  { path: 'actors', rooms: ['src/model'], packages: [/^xstate$/], types: ['src/wire'] },
  { path: 'supervisors', rooms: ['src/model', 'actors'], packages: [/^xstate$/] },
  {
    path: 'src/wire',
    rooms: ['src/model'],
    packages: [
      // http for its registered reason phrases alone.
      /^node:(crypto|buffer|url|path|zlib|http)$/,
      /^protobufjs$/,
      /^@grpc\/(proto-loader|grpc-js)$/,
      /^long$/,
    ],
  },
  { path: 'src/os', rooms: ['src/model', 'src/wire'] },
  { path: 'src/dataplane', rooms: ['src/model', 'src/wire', 'src/os'] },
  { path: 'src/config', rooms: ['src/model', 'src/wire', 'src/os'] },
  { path: 'src/observe', rooms: ['src/model', 'src/os', 'src/config'] },
  { path: 'src/control', rooms: ['src/model', 'src/wire', 'src/os', 'src/observe'] },
  { path: 'src/agent', rooms: BELOW_AGENT },
  {
    path: 'src/cli',
    rooms: ['src/model', 'src/wire', 'src/os', 'src/config', 'src/observe', 'supervisors', 'actors'],
  },
  {
    path: 'src/bin',
    rooms: [
      'src/model',
      'src/os',
      'src/config',
      'src/control',
      'src/agent',
      'src/observe',
      'src/cli',
      'src/dataplane',
    ],
  },
];

const files = projectFiles().filter((file) => file.endsWith('.ts'));

function violation(room: Room, { from, to, isType }: Import): string | null {
  const inRoom = (path: string) => to.startsWith(`${path}/`);
  if (to.endsWith('.ts') || to.endsWith('.json')) {
    if (inRoom(room.path) || room.rooms.some(inRoom)) return null;
    if (isType && (room.types ?? []).some(inRoom)) return null;
    return `${from} imports ${to}: ${room.path} may import ${[room.path, ...room.rooms].join(', ')}`;
  }
  if (room.packages === undefined || room.packages.some((pattern) => pattern.test(to))) return null;
  return `${from} imports ${to}: not among the packages of ${room.path}`;
}

for (const room of ROOMS) {
  test(`imports of ${room.path} point one way`, () => {
    const own = files.filter((file) => file.startsWith(`${room.path}/`));
    assert.notEqual(own.length, 0, `${room.path} has no files`);
    const wrong = own.flatMap(importsOf).map((each) => violation(room, each));
    assert.deepEqual(
      wrong.filter((text) => text !== null),
      [],
    );
  });
}

test('every source file belongs to a room', () => {
  const homeless = files.filter(
    (file) =>
      /^(src|actors|supervisors)\//.test(file) && !ROOMS.some((room) => file.startsWith(`${room.path}/`)),
  );
  assert.deepEqual(homeless, []);
});

test('a machine reads no clock, no randomness and no system', () => {
  const impure = files
    .filter((file) => file.startsWith('actors/'))
    .filter((file) =>
      /\b(Date\.now|new Date|performance\.|Math\.random|process\.)/.test(readWithoutComments(file)),
    );
  assert.deepEqual(impure, []);
});

function readWithoutComments(file: string): string {
  return readProjectFile(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
