import type { TestContext } from 'node:test';
import { suite, test } from 'node:test';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { needs } from '../needs.ts';
import { CASES } from './cases.ts';
import { haproxy, NOT_THROUGH_HAPROXY } from './haproxy.ts';
import { novaedge, novaedgeOverTls } from './novaedge.ts';
import type { Path, Stack } from './stack.ts';
import { startStack } from './stack.ts';

// Connections that break are what some cases are about.
setLogVerbosity(logVerbosity.NONE);

/** Through which each case goes. Directly shows that the case is right; HAProxy, that a proxy can pass it. */
const PATHS: readonly {
  readonly name: string;
  readonly path: Path;
  readonly skip: string | false;
  readonly not: ReadonlySet<string>;
}[] = [
  { name: 'directly', path: async (_context, backendPort) => backendPort, skip: false, not: new Set() },
  { name: 'through NovaEdge', path: novaedge, skip: false, not: new Set() },
  { name: 'through NovaEdge over TLS', path: novaedgeOverTls, skip: false, not: new Set() },
  { name: 'through HAProxy', path: haproxy, skip: needs('haproxy').skip, not: NOT_THROUGH_HAPROXY },
];

for (const { name, path, skip, not } of PATHS)
  suite(`gRPC ${name}`, { skip }, () => {
    for (const { name: what, server, run } of CASES.filter((each) => !not.has(each.name)))
      test(what, { timeout: 60_000 }, async (context: TestContext) => {
        const stack: Stack = await startStack(context, path, server);
        await run(stack);
      });
  });
