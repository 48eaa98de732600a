import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { Pipeline } from '../../src/config/pipeline.ts';
import type { ConfigurationBuild } from '../../src/model/configuration.ts';
import type { Resource } from '../../src/model/resource.ts';
import { type Issued, issue, secretManifest, tlsSecret } from './issued.ts';

const DAY = 86_400_000;
const NOW = Date.now();

const gateway = (tls: object, hostnames?: readonly string[]) => ({
  apiVersion: 'novaedge.io/v1alpha1',
  kind: 'ProxyGateway',
  metadata: { name: 'gw' },
  spec: {
    listeners: [
      { name: 'https', port: 443, protocol: 'HTTPS', tls, ...(hostnames === undefined ? {} : { hostnames }) },
      { name: 'http', port: 80 },
    ],
  },
});

const REF = { secretRef: { name: 'cert' } };

/** A pipeline over objects by name, at a time that the test sets. */
class World {
  now = NOW;
  readonly pipeline = new Pipeline({ now: () => this.now });

  put(objects: Record<string, object | null>): ConfigurationBuild {
    const upserts = Object.entries(objects)
      .filter(([, object]) => object !== null)
      .map(([id, manifest]) => ({ type: 'object' as const, id, manifest: { ...manifest } }));
    const removals = Object.keys(objects).filter((id) => objects[id] === null);
    return this.pipeline.apply({ upserts, removals });
  }
}

function certificate(
  build: ConfigurationBuild,
  name = 'default/cert',
): Extract<Resource, { kind: 'certificate' }>['value'] | null {
  const resource = build.resources.get(`certificate/${name}`);
  return resource?.kind === 'certificate' ? resource.value : null;
}

const told = (build: ConfigurationBuild): string[] =>
  build.problems.map(({ severity, reason, message }) => `${severity} ${reason}: ${message}`);

function resolved(build: ConfigurationBuild, kind = 'ProxyGateway'): string {
  const view = build.objects.find(({ object }) => object.kind === kind);
  const condition = view?.conditions.find(({ type }) => type === 'ResolvedRefs');
  return `${condition?.status} ${condition?.reason}`;
}

describe('certificates', () => {
  let root: Issued;
  let middle: Issued;
  let leaf: Issued;
  let other: Issued;
  before(async () => {
    root = await issue({ subject: 'root', authority: true });
    middle = await issue({ subject: 'middle', authority: true, issuer: root });
    leaf = await issue({ names: ['a.test', '*.wild.test'], issuer: middle });
    other = await issue({ names: ['other.test'] });
  });
  const chain = (...parts: readonly Issued[]): string => parts.map((part) => part.certificate).join('');

  it('come from a Secret, chain and key cleaned of what stands beside them', () => {
    const text = `subject=CN=a\r\n${chain(leaf)}# and then\n${chain(middle)}`;
    const build = new World().put({
      gw: gateway(REF),
      cert: secretManifest('cert', { 'tls.crt': text, 'tls.key': `Bag Attributes\n${leaf.key}` }),
    });
    assert.deepEqual(told(build), []);
    assert.equal(certificate(build)?.chain, chain(leaf, middle));
    assert.equal(certificate(build)?.privateKey, leaf.key);
    const listener = build.resources.get('listener/default/gw/https');
    assert.equal(listener?.kind, 'listener');
    assert.deepEqual(listener.value.tls?.certificates, ['default/cert']);
    const view = (kind: string) => build.objects.find(({ object }) => object.kind === kind)?.resources;
    assert.deepEqual(view('Secret'), ['certificate/default/cert']);
    // So that a node that refuses it is told of at the gateway, too.
    assert.ok(view('ProxyGateway')?.includes('certificate/default/cert'));
  });

  it('of Secrets that nobody names go nowhere', () => {
    const build = new World().put({ gw: gateway(REF), stranger: tlsSecret('stranger', other) });
    assert.equal(certificate(build, 'default/stranger'), null);
  });

  const BAD: readonly { what: string; reason: string; says: RegExp; data: () => Record<string, string> }[] = [
    {
      what: 'no key',
      reason: 'CertificateUnreadable',
      says: /tls\.key is missing/,
      data: () => ({ 'tls.crt': chain(leaf) }),
    },
    {
      what: 'no certificate',
      reason: 'CertificateUnreadable',
      says: /tls\.crt is missing/,
      data: () => ({ 'tls.key': leaf.key }),
    },
    {
      what: 'no PEM',
      reason: 'CertificateUnreadable',
      says: /tls\.crt holds no certificate in PEM/,
      data: () => ({ 'tls.crt': 'hello', 'tls.key': leaf.key }),
    },
    {
      what: 'a cut certificate',
      reason: 'CertificateUnreadable',
      says: /certificate 2 cannot be read/,
      data: () => ({ 'tls.crt': chain(leaf) + chain(middle).replace(/\n.{20}/, '\n'), 'tls.key': leaf.key }),
    },
    {
      what: 'a cut key',
      reason: 'CertificateUnreadable',
      says: /tls\.key cannot be read/,
      data: () => ({ 'tls.crt': chain(leaf), 'tls.key': leaf.key.replace(/\n.{20}/, '\n') }),
    },
    {
      what: 'an encrypted key',
      reason: 'CertificateUnreadable',
      says: /tls\.key is encrypted/,
      data: () => ({ 'tls.crt': chain(leaf), 'tls.key': encryptedKey() }),
    },
    {
      what: 'an encrypted key of the old form',
      reason: 'CertificateUnreadable',
      says: /tls\.key is encrypted/,
      data: () => ({
        'tls.crt': chain(leaf),
        'tls.key':
          '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      }),
    },
    {
      what: "another's key",
      reason: 'KeyMismatch',
      says: /tls\.key is not the key/,
      data: () => ({ 'tls.crt': chain(leaf), 'tls.key': other.key }),
    },
    {
      what: 'a chain with the own certificate last',
      reason: 'ChainOutOfOrder',
      says: /certificate 2, which must come first/,
      data: () => ({ 'tls.crt': chain(middle, leaf), 'tls.key': leaf.key }),
    },
    {
      what: 'a chain with a stranger in it',
      reason: 'ChainOutOfOrder',
      says: /certificate 1 is not signed by certificate 2/,
      data: () => ({ 'tls.crt': chain(leaf, root, middle), 'tls.key': leaf.key }),
    },
  ];
  for (const { what, reason, says, data } of BAD) {
    it(`with ${what} are out alone, and the condition says why`, () => {
      const world = new World();
      const build = world.put({
        gw: gateway({ ...REF, certificateRefs: [{ name: 'fine' }] }),
        cert: secretManifest('cert', data()),
        fine: tlsSecret('fine', other),
      });
      assert.equal(certificate(build), null);
      assert.equal(certificate(build, 'default/fine')?.privateKey, other.key);
      assert.equal(resolved(build), `False ${reason}`);
      assert.match(told(build).join(), says);
      assert.match(told(build).join(), /Secret default\/cert: /);
      assert.equal(build.problems[0]?.field, 'spec.listeners[0].tls.secretRef.name');
      // The listener stays, so that nothing but the certificate changes when it is mended.
      assert.ok(build.resources.has('listener/default/gw/https'));
      const mended = world.put({ cert: tlsSecret('cert', leaf) });
      assert.deepEqual(mended.changed, ['certificate/default/cert']);
      assert.deepEqual(told(mended), []);
      assert.equal(resolved(mended), 'True ResolvedRefs');

      // And a good one that is replaced by it serves on.
      const spoilt = world.put({ cert: secretManifest('cert', data()) });
      assert.deepEqual([spoilt.changed, spoilt.removed], [[], []]);
      assert.equal(certificate(spoilt)?.privateKey, leaf.key);
      assert.equal(resolved(spoilt), `False ${reason}`);
      assert.match(told(spoilt).join(), /the one in use before serves on/);
      const gone = world.put({ cert: null });
      assert.deepEqual(gone.removed, ['certificate/default/cert']);
      assert.equal(resolved(gone), 'False SecretNotFound');
    });
  }

  it('with a weak key are refused', async () => {
    const weak = await issue({ names: ['a.test'], rsaBits: 1024 });
    const build = new World().put({ gw: gateway(REF), cert: tlsSecret('cert', weak) });
    assert.equal(certificate(build), null);
    assert.match(told(build).join(), /WeakKey: .*RSA with 1024 bits is too weak; at least 2048/);
    const strong = await issue({ names: ['a.test'], rsaBits: 2048 });
    assert.notEqual(
      certificate(new World().put({ gw: gateway(REF), cert: tlsSecret('cert', strong) })),
      null,
    );
  });

  it('come into their time and out of it while nothing else happens', async () => {
    const timed = await issue({ names: ['a.test'], notBefore: NOW + DAY, notAfter: NOW + 61 * DAY });
    const world = new World();
    const at = (time: number): ConfigurationBuild => {
      // Not a moment before what was announced does anything change.
      const { changesAt } = world.pipeline;
      if (time < changesAt) assert.fail(`the next change is at ${changesAt}`);
      world.now = changesAt - 1;
      const early = world.put({});
      assert.deepEqual([early.changed, early.removed], [[], []]);
      world.now = changesAt;
      return world.put({});
    };
    const early = world.put({ gw: gateway(REF), cert: tlsSecret('cert', timed) });
    assert.match(told(early).join(), /unresolved CertificateNotYetValid: .*is valid from .*Z only/);
    assert.equal(certificate(early), null);
    const good = at(NOW + DAY);
    assert.deepEqual(told(good), []);
    assert.deepEqual(good.changed, ['certificate/default/cert']);
    const soon = at(NOW + 31 * DAY);
    assert.match(
      told(soon).join(),
      /^warning CertificateExpiresSoon: Secret default\/cert: tls\.crt expires at /,
    );
    assert.equal(resolved(soon), 'True CertificateExpiresSoon');
    assert.deepEqual([soon.changed, soon.removed], [[], []]);
    const late = at(NOW + 61 * DAY);
    assert.match(
      told(late).join(),
      /^unresolved CertificateExpired: Secret default\/cert: tls\.crt has expired at /,
    );
    assert.deepEqual(late.removed, ['certificate/default/cert']);
    assert.equal(world.pipeline.changesAt, Infinity);
    assert.ok(world.pipeline.certificates.get('default/cert')!.notAfter! <= world.now);
  });

  it('that have expired leave the one before in use, until it expires itself', async () => {
    const old = await issue({ names: ['a.test'], notBefore: NOW - 90 * DAY, notAfter: NOW - DAY });
    const world = new World();
    world.put({ gw: gateway(REF), cert: tlsSecret('cert', leaf) });
    const build = world.put({ cert: tlsSecret('cert', old) });
    assert.equal(certificate(build)?.privateKey, leaf.key);
    assert.match(told(build).join(), /CertificateExpired: .*; the one in use before serves on/);
    world.now += 400 * DAY;
    assert.deepEqual(world.put({}).removed, ['certificate/default/cert']);
  });

  it('must be for the hosts of their listener, by their subjectAltName', async () => {
    const world = new World();
    const hosts = ['a.test', 'b.test', 'deep.x.wild.test', 'x.wild.test', '*.wild.test', '*.a.test'];
    const build = world.put({ gw: gateway(REF, hosts), cert: tlsSecret('cert', leaf) });
    const named = build.problems.map(({ severity, reason, field }) => `${severity} ${reason} ${field}`);
    assert.deepEqual(named, [
      'warning HostnameNotCovered spec.listeners[0].hostnames[1]',
      'warning HostnameNotCovered spec.listeners[0].hostnames[2]',
      'warning HostnameNotCovered spec.listeners[0].hostnames[5]',
    ]);
    assert.equal(resolved(build), 'True ResolvedRefs');
    const byName = await issue({ subject: 'a.test' });
    assert.match(
      told(new World().put({ gw: gateway(REF, ['a.test']), cert: tlsSecret('cert', byName) })).join(),
      /HostnameNotCovered/,
    );
  });

  it('take an OCSP response with them, and serve without one that is none', () => {
    const good = Buffer.from('30820003' + '0a0100', 'hex');
    const put = (staple: Buffer) =>
      new World().put({
        gw: gateway(REF),
        cert: {
          ...tlsSecret('cert', leaf),
          data: {
            ...(tlsSecret('cert', leaf).data as object),
            'tls.ocsp-staple': staple.toString('base64'),
          },
        },
      });
    assert.equal(certificate(put(good))?.ocspStaple, good.toString('base64'));
    for (const bad of [Buffer.from('hello'), Buffer.from('30030a0106', 'hex'), Buffer.alloc(0)]) {
      const build = put(bad);
      assert.equal(certificate(build)?.ocspStaple, '');
      assert.match(told(build).join(), /^warning StapleUnusable: .*tls\.ocsp-staple/);
    }
  });

  it('of clients: without authorities the listener is not opened, with bad ones the last good serve on', () => {
    const tls = { ...REF, clientCertificates: { caSecretRef: { name: 'ca' }, header: 'X-Cert' } };
    const world = new World();
    const without = world.put({ gw: gateway(tls), cert: tlsSecret('cert', leaf) });
    assert.ok(!without.resources.has('listener/default/gw/https'));
    assert.ok(without.resources.has('listener/default/gw/http'));
    assert.equal(resolved(without), 'False SecretNotFound');
    const settings = (build: ConfigurationBuild) => {
      const listener = build.resources.get('listener/default/gw/https');
      return listener?.kind === 'listener' ? listener.value.tls?.clientCertificates : undefined;
    };
    const expected = { mode: 'Required', ca: chain(root, middle), header: 'x-cert' };
    assert.deepEqual(
      settings(world.put({ ca: secretManifest('ca', { 'ca.crt': chain(root, middle) }) })),
      expected,
    );
    const bad = world.put({
      ca: secretManifest('ca', {
        'ca.crt': `${chain(root)}-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n`,
      }),
    });
    assert.deepEqual(settings(bad), expected);
    assert.match(
      told(bad).join(),
      /AuthorityUnreadable: Secret default\/ca: ca\.crt certificate 2 cannot be read.*serves on/,
    );
    assert.equal(settings(world.put({ ca: null })), undefined);
  });

  it('of backends: authorities and the certificate that is shown', () => {
    const backend = {
      apiVersion: 'novaedge.io/v1alpha1',
      kind: 'ProxyBackend',
      metadata: { name: 'db' },
      spec: {
        endpoints: [{ address: '127.0.0.1', port: 1 }],
        tls: { caSecretRef: { name: 'ca' }, clientCertificateRef: { name: 'cert' } },
      },
    };
    const world = new World();
    const without = world.put({ backend, cert: tlsSecret('cert', leaf) });
    assert.ok(!without.resources.has('cluster/default/db'));
    assert.equal(resolved(without, 'ProxyBackend'), 'False SecretNotFound');
    const build = world.put({ ca: secretManifest('ca', { 'ca.crt': chain(root) }) });
    const cluster = build.resources.get('cluster/default/db');
    assert.equal(cluster?.kind, 'cluster');
    assert.equal(cluster.value.tls?.ca, chain(root));
    assert.equal(cluster.value.tls?.certificate, 'default/cert');
    assert.equal(certificate(build)?.privateKey, leaf.key);
    const view = build.objects.find(({ object }) => object.kind === 'ProxyBackend');
    assert.ok(view?.resources.includes('certificate/default/cert'));
  });

  it('may be replaced as often as one likes: the snapshot changes by the certificate alone', async () => {
    const world = new World();
    world.put({ gw: gateway(REF), cert: tlsSecret('cert', leaf) });
    const listener = world.pipeline.current().resources.get('listener/default/gw/https');
    for (let round = 0; round < 20; round += 1) {
      const next = await issue({ names: ['a.test'] });
      const build = world.put({ cert: tlsSecret('cert', next) });
      assert.deepEqual([build.changed, build.removed], [['certificate/default/cert'], []]);
      assert.equal(certificate(build)?.privateKey, next.key);
      assert.equal(build.resources.get('listener/default/gw/https'), listener);
    }
    const same = world.put({
      cert: { ...tlsSecret('cert', leaf), metadata: { name: 'cert', labels: { a: 'b' } } },
    });
    const again = world.put({
      cert: { ...tlsSecret('cert', leaf), metadata: { name: 'cert', labels: { a: 'c' } } },
    });
    assert.deepEqual(same.changed, ['certificate/default/cert']);
    assert.deepEqual(again.changed, []);
  });

  it('never show their keys', () => {
    const world = new World();
    world.put({ gw: gateway(REF), cert: tlsSecret('cert', leaf) });
    for (const { data } of BAD) {
      const build = world.put({ cert: secretManifest('cert', data()) });
      const shown = JSON.stringify([build.problems, build.objects]);
      for (const key of [leaf.key, other.key]) {
        for (const line of key.split('\n').slice(1, -2)) {
          assert.ok(!shown.includes(line.slice(0, 20)));
          assert.ok(!shown.includes(Buffer.from(line).toString('base64').slice(4, 24)));
        }
      }
    }
  });
});

function encryptedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-128-cbc',
    passphrase: 'x',
  }) as string;
}
