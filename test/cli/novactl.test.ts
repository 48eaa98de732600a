import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { agentAdmin, controllerAdmin, PROBLEMS, serveFixture } from './fixture.ts';
import { novactl } from './run.ts';

/** Removes the margin that keeps expected output readable in the source. */
function lines(text: string): string {
  return `${text
    .split('\n')
    .slice(1, -1)
    .map((line) => line.replace(/^ {4}/, ''))
    .join('\n')}\n`;
}

suite('novactl and a controller', { concurrency: 2 }, () => {
  let admin = '';
  let close = async (): Promise<void> => {};
  before(async () => {
    const server = await serveFixture({ controller: controllerAdmin() });
    admin = server.address;
    close = server.close;
  });
  after(() => close());

  /** Runs a command that must succeed without a word on standard error. */
  async function output(...args: string[]): Promise<string> {
    const ended = await novactl(args, { admin });
    assert.equal(ended.stderr, '');
    assert.equal(ended.code, 0);
    return ended.stdout;
  }

  test('gateways: a table, aligned, with the reason where something is not right', async () => {
    assert.equal(
      await output('gateways', '-A'),
      lines(`
    NAMESPACE   NAME               CLASS      VIP          LISTENERS                        ACCEPTED   RESOLVED   PROGRAMMED   AGE    REASON
    default     external-gateway   novaedge   public-vip   http:8080/HTTP,admin:8081/HTTP   True       True       True         3d4h
    shop        store              novaedge   -            https:8443/HTTPS                 False      True       Unknown      3d4h   UnsupportedProtocol: spec.listeners[0].protocol: HTTPS is not supported yet
    `),
    );
  });

  test('routes: those of namespace default, or of the one asked for', async () => {
    assert.equal(
      await output('routes'),
      lines(`
    NAME   HOSTNAMES                        PATHS          BACKENDS                 ACCEPTED   RESOLVED   PROGRAMMED   AGE    REASON
    api    api.example.com                  /v1,/healthz   api-backend              True       True       True         3d4h
    web    example.com,www.example.com +1   v1             web-backend,web-canary   False      True       True         3d4h   InvalidPath: spec.rules[0].matches[0].path.value: a path must begin with "/"; the last good version serves on
    `),
    );
    assert.equal(
      await output('routes', '-n', 'shop'),
      lines(`
    NAME   HOSTNAMES          PATHS   BACKENDS       ACCEPTED   RESOLVED   PROGRAMMED   AGE    REASON
    cart   shop.example.com   /       cart-backend   True       False      True         3d4h   BackendNotFound: there is no ProxyBackend shop/cart-backend
    `),
    );
    assert.match(
      await output('routes', '-o', 'wide'),
      /RULES +LISTENERS.*\n.*default\/external-gateway\/http /,
    );
  });

  test('backends: how many endpoints are healthy, over all nodes, and what is wrong with the rest', async () => {
    assert.equal(
      await output('backends'),
      lines(`
    NAME          SOURCE                 POLICY       HEALTHY   ACCEPTED   RESOLVED   PROGRAMMED   AGE    REASON
    api-backend   Service api-svc:8080   RoundRobin   2/3       True       True       True         3d4h   10.0.0.3:8080 not ready
    web-backend   2 endpoints            RoundRobin   1/2       True       True       True         3d4h   10.0.1.2:80 failing on edge-1: connection refused
    web-canary    1 endpoint             RoundRobin   0/1       True       True       True         3d4h   [fd00::1]:80 failing on edge-1, edge-2: connect timeout
    `),
    );
  });

  test('vip list and vip status', async () => {
    assert.equal(
      await output('vip', 'list'),
      lines(`
    NAME         ADDRESS           MODE   PORTS    ACCEPTED   RESOLVED   PROGRAMMED   AGE    REASON
    public-vip   203.0.113.10/32   BGP    80,443   True       True       False        3d4h   NotSupported: announcing addresses is not supported yet
    `),
    );
    assert.equal(
      await output('vip', 'status'),
      lines(`
    NAME         ADDRESS           MODE   GATEWAYS           NODE   STATE           REASON
    public-vip   203.0.113.10/32   BGP    external-gateway   -      not announced   NotSupported: announcing addresses is not supported yet
    `),
    );
  });

  test('nodes: who is behind, and what it refused', async () => {
    assert.equal(
      await output('nodes'),
      lines(`
    NAME     READY   CONNECTED   VERSION        IN-SYNC   WORKERS   LISTENERS   REFUSED   UP      REASON
    edge-1   yes     yes         3f2a91c0de77   yes             2           2         0   5h12m
    edge-2   yes     yes         aa00bb11cc22   no              2           2         1   5h12m   listener/default/external-gateway/admin: AddressInUse: port 8081 is in use
    `),
    );
  });

  test('actors: the tree with state, reason, since, restarts, mailbox and thread', async () => {
    const text = await output('actors', '--node', 'edge-1');
    assert.equal(
      text,
      lines(`
    ACTOR                                           STATE            SINCE   RESTARTS   MAILBOX   THREAD        REASON
    edge-1/main/root                                running          120m           0         0   main          started
    ├─ config-stream                                streaming.idle   14m            0         0   main          acknowledged
    ├─ rollout                                      idle             14m            0         0   main          committed
    └─ dataplane-0/supervisor                       running          120m           1         0   dataplane-0   restarted
       ├─ listener/default/external-gateway/admin   failed           120m           3         0   dataplane-0   socket_failed
       ├─ listener/default/external-gateway/http    listening        120m           0         0   dataplane-0   committed
       └─ circuit-breaker/default/api-backend       open             25m            0         2   dataplane-0   limit_reached
    `),
    );
    assert.match(await output('actors', '--ascii'), /\n\|- config-stream .*\n\|- rollout .*\n`- dataplane-0/);
  });

  test('stats: totals, listeners, backends and endpoints of one node', async () => {
    assert.equal(
      await output('stats', '--node', 'edge-1'),
      lines(`
    Node edge-1  ready · snapshot 3f2a91c0de77 · 2 workers · up 5h12m

    TOTAL                         VALUE
    request_count{code="2xx"}   119,900
    request_count{code="5xx"}       411

    LISTENER                         PORT   STATE       OPEN   REQUESTS
    default/external-gateway/http    8080   listening     12    120,311
    default/external-gateway/admin   8081   listening      0         42

    BACKEND               REQUESTS   CONNECTIONS   PENDING   BREAKER
    default/api-backend    100,000             8         0   closed
    default/web-backend     20,353             4         3   open

    ENDPOINT        BACKEND               HEALTH    REQUESTS   ACTIVE   FAILURES   CONNECTIONS   REASON
    10.0.0.1:8080   default/api-backend   healthy     50,000        1          0             4
    10.0.0.2:8080   default/api-backend   healthy     50,000        1          0             4
    10.0.0.3:8080   default/api-backend   unready          0        0          0             0
    10.0.1.1:80     default/web-backend   healthy     20,000        1          0             4
    10.0.1.2:80     default/web-backend   failing        353        0         17             0   connection refused
    [fd00::1]:80    default/web-canary    failing          0        0         17             0   connect timeout
    `),
    );
  });

  test('problems: each with file, line, field, value and reason', async () => {
    assert.equal(
      await output('problems', '-n', 'default'),
      lines(`
    error  deploy/samples/routes.yaml:12  ProxyRoute default/web
           spec.rules[0].matches[0].path.value = "v1"
           InvalidPath: a path must begin with "/"
           The last good version serves on.

    1 error
    `),
    );
    const wide = (await output('problems', '-o', 'wide')).trimEnd().split('\n');
    assert.equal(wide.length, PROBLEMS.length);
    assert.ok(wide[2]!.startsWith('deploy/samples/routes.yaml:58: '));
  });

  test('topology graph: the tree', async () => {
    assert.equal(
      await output('topology', 'graph', '-n', 'default'),
      lines(`
    ● gateway default/external-gateway  class novaedge, VIP default/public-vip
    ├─ ● listener http  :8080 HTTP example.com, *.example.com
    │  ├─ ● route default/api  api.example.com
    │  │  ├─ /v1, GET = /healthz → ◐ backend default/api-backend  RoundRobin, 2/3 healthy
    │  │  │  ├─ ● 10.0.0.1:8080
    │  │  │  ├─ ● 10.0.0.2:8080
    │  │  │  └─ ✗ 10.0.0.3:8080  not ready
    │  │  └─ /old → ● redirect 301 https://new.example.com
    │  ├─ ◐ route default/web  example.com, www.example.com
    │  │  │  InvalidPath: spec.rules[0].matches[0].path.value: a path must begin with "/"; the last good version serves on
    │  │  ├─ / (90%) → ◐ backend default/web-backend  RoundRobin, 1/2 healthy
    │  │  │  ├─ ● 10.0.1.1:80
    │  │  │  └─ ◐ 10.0.1.2:80  failing on edge-1: connection refused
    │  │  └─ / (10%) → ✗ backend default/web-canary  RoundRobin, 0/1 healthy
    │  │     └─ ✗ [fd00::1]:80  failing on edge-1, edge-2: connect timeout
    │  └─ ◐ route shop/cart  shop.example.com
    │     │  BackendNotFound: there is no ProxyBackend shop/cart-backend
    │     └─ / → ✗ backend shop/cart-backend  missing: answered with 500
    └─ ◐ listener admin  :8081 HTTP  failed on edge-2
       └─ ◐ route default/web  any host  (drawn above)
    `),
    );
  });

  test('the locale decides between Unicode and ASCII', async () => {
    const ended = await novactl(['topology', 'graph'], { admin, env: { LANG: 'C' } });
    assert.match(ended.stdout, /^\[ok\] gateway default\/external-gateway/);
    assert.doesNotMatch(ended.stdout, /[^\x20-\x7e\n]/);
  });

  test('-o json and -o yaml are whole and parse, for every command', async () => {
    for (const args of [
      ['gateways', '-A'],
      ['routes'],
      ['backends'],
      ['vip', 'list'],
      ['vip', 'status'],
      ['nodes'],
      ['actors'],
      ['stats'],
      ['problems'],
      ['get', 'services'],
    ]) {
      const json = JSON.parse(await output(...args, '-o', 'json')) as { kind: string; items: unknown[] };
      assert.equal(json.kind, 'List', args.join(' '));
      assert.ok(Array.isArray(json.items));
      if (args[0] === 'gateways') assert.equal(json.items.length, 2);
      if (args[0] === 'stats') assert.deepEqual(parse(await output(...args, '-o', 'yaml')), json);
    }
    const graph = JSON.parse(await output('topology', 'graph', '--format', 'json'));
    assert.deepEqual(JSON.parse(await output('topology', 'graph', '-o', 'json')), graph);
  });

  test('get: any spelling of a kind, one object as YAML with its conditions in status', async () => {
    const expected = parse(await output('get', 'ProxyRoute', 'web', '-o', 'yaml'));
    assert.equal(expected.metadata.name, 'web');
    assert.equal(expected.status.conditions[0].reason, 'InvalidPath');
    for (const spelling of ['proxyroute', 'proxyroutes', 'route', 'routes', 'proxyroutes.novaedge.io']) {
      assert.deepEqual(JSON.parse(await output('get', spelling, 'default/web', '-o', 'json')), expected);
    }
    assert.match(await output('get', 'route', 'web'), /^NAMESPACE +NAME +HOSTNAMES.*\ndefault +web /);
  });

  test('an object that is not there: exit 1 and the nearest names', async () => {
    assert.deepEqual(await novactl(['get', 'route', 'wbe'], { admin }), {
      code: 1,
      stdout: '',
      stderr: 'novactl: there is no ProxyRoute wbe in namespace default; did you mean web?\n',
    });
    assert.match((await novactl(['get', 'route', 'cart'], { admin })).stderr, /did you mean shop\/cart\?/);
    const node = await novactl(['stats', '--node', 'edge1'], { admin });
    assert.equal(node.code, 1);
    assert.match(node.stderr, /there is no node edge1; did you mean edge-1/);
  });

  test('an empty list says where there are others', async () => {
    assert.deepEqual(await novactl(['routes', '-n', 'nowhere'], { admin }), {
      code: 0,
      stdout: '',
      stderr: 'No routes in namespace nowhere (3 in other namespaces: -A shows them).\n',
    });
  });

  test('wrong usage: exit 2 with what would be right', async () => {
    for (const [args, expected] of [
      [['rotues'], /unknown command 'rotues'[\s\S]*Did you mean routes\?/],
      [['get', 'rout'], /there is no kind "rout"; did you mean route/],
      [['get'], /missing required argument 'kind'/],
      [['routes', '-o', 'xml'], /Allowed choices are table, wide, json, yaml/],
      [['routes', '--colour'], /unknown option '--colour'/],
      [['routes', '--admin', 'nonsense'], /"nonsense" is not HOST:PORT/],
      [['routes', '--timeout', '-1'], /not a number of seconds/],
      [['routes', 'surplus'], /too many arguments/],
      [['vip'], /Usage: novactl vip/],
    ] as const) {
      const ended = await novactl(args, { admin });
      assert.equal(ended.code, 2, args.join(' '));
      assert.equal(ended.stdout, '');
      assert.match(ended.stderr, expected);
    }
  });

  test('no colour codes without a terminal', async () => {
    assert.doesNotMatch(await output('gateways', '-A'), /\u001b/);
  });
});

suite('novactl and an agent alone', () => {
  let admin = '';
  let close = async (): Promise<void> => {};
  before(async () => {
    const server = await serveFixture({ agent: agentAdmin() });
    admin = server.address;
    close = server.close;
  });
  after(() => close());

  test('lists are the resources that serve, and it says so', async () => {
    const ended = await novactl(['backends', '--admin', admin]);
    assert.equal(ended.code, 0);
    assert.match(
      ended.stderr,
      /^This is an agent, which holds no objects: shown are the resources that serve\./,
    );
    assert.equal(
      ended.stdout,
      lines(`
    NAME          POLICY       HEALTHY   MAX-CONNECTIONS
    api-backend   RoundRobin   2/3                  1000
    web-backend   RoundRobin   1/2                  1000
    web-canary    RoundRobin   0/1                  1000
    `),
    );
    const one = await novactl(['get', 'route', 'api', '-o', 'json', '--admin', admin]);
    assert.equal(JSON.parse(one.stdout).name, 'default/api');
  });

  test('what only a controller knows is exit 1, and it says whom to ask', async () => {
    for (const args of [['problems'], ['vip', 'status'], ['get', 'service']]) {
      const ended = await novactl([...args, '--admin', admin]);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, /ask its controller/);
    }
  });

  test('topology is drawn from what serves', async () => {
    const ended = await novactl(['topology', 'graph'], { admin });
    assert.match(ended.stdout, /^● gateway default\/external-gateway/);
  });
});

suite('novactl without a server to talk to', () => {
  test('nothing listens: one line with what was tried and what to do, exit 3', async () => {
    const probe = createTcpServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const ended = await novactl(['gateways', '--admin', `127.0.0.1:${port}`]);
    assert.deepEqual(ended, {
      code: 3,
      stdout: '',
      stderr: `novactl: no admin server answers at 127.0.0.1:${port} (connection refused): start NovaEdge with "npm start" or "npx novaedge standalone", or point novactl at it with --admin HOST:PORT or NOVAEDGE_ADMIN\n`,
    });
  });

  test('something accepts and never answers: exit 3 after the timeout', async (t) => {
    const silent = createTcpServer((socket) => void socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const ended = await novactl(['nodes', '--timeout', '0.2', '--admin', `127.0.0.1:${port}`]);
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /did not answer in time/);
  });

  test('something else answers: exit 3 and it says that this is not NovaEdge', async (t) => {
    const other = createServer((_, response) => response.writeHead(404).end('<html>not here</html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const ended = await novactl(['nodes', '--admin', `http://127.0.0.1:${port}/`]);
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /is not a NovaEdge admin server \(status 404/);
  });

  test('help: every command has examples and the global options', async () => {
    const top = await novactl([]);
    assert.equal(top.code, 0);
    assert.match(
      top.stdout,
      /Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 3 no admin server reached/,
    );
    const commands = [...top.stdout.matchAll(/^ {2}([a-z]+)[|\s[]/gm)].map((match) => match[1]!);
    for (const name of [
      'gateways',
      'routes',
      'backends',
      'nodes',
      'actors',
      'stats',
      'get',
      'validate',
      'problems',
    ]) {
      assert.ok(commands.includes(name), name);
      const help = await novactl([name, '--help']);
      assert.equal(help.code, 0);
      assert.match(help.stdout, new RegExp(`Examples:\n {2}\\$ .*novactl ${name}`), name);
      assert.match(help.stdout, /--admin <host:port>/, name);
    }
    for (const pair of [
      ['vip', 'list'],
      ['vip', 'status'],
      ['topology', 'graph'],
    ]) {
      assert.match((await novactl([...pair, '--help'])).stdout, /Examples:/, pair.join(' '));
    }
    assert.match((await novactl(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
