import { channel } from 'node:diagnostics_channel';
import {
  CERTIFICATES_PUBLISHED,
  type Certified,
  CHANNELS,
  type Reconciled,
  type Watched,
} from '../model/channel.ts';
import type { ConfigurationBuild, ConfigurationSource, ObjectView } from '../model/configuration.ts';
import type { Problem } from '../model/object.ts';
import { LastGoodFile } from './last-good-file.ts';
import { type ParsedDocument, parseDocument } from './parse/parse-document.ts';
import { parseOnThreads, worthPooling } from './parse/parse-pool.ts';
import { splitDocuments } from './parse/split-documents.ts';
import { Pipeline, type ViewChange } from './pipeline.ts';
import type { Source, SourceChange } from './source/source.ts';
import type { WatchedFiles } from './source/watched-files.ts';

export interface ConfigurationOptions {
  readonly source: Source;
  /** Where last good versions outlive a restart; without it they do not. */
  readonly lastGoodFile?: string;
  /** Files that objects name; without it they cannot be read. */
  readonly files?: WatchedFiles;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Good versions are written so long after a change, ms, and at most this share of the time. */
const WRITE_DELAY = 1000;
const WRITE_SHARE = 0.02;

/** However far off the next change is: the clock of a machine may be set. */
const LONGEST_WAIT = 3_600_000;

const NOTHING: SourceChange = { upserts: [], removals: [] };

const reconciled = channel(CHANNELS.reconciled);
const watched = channel(CHANNELS.watched);
const certified = channel(CHANNELS.certified);

/** The user's configuration as it stands: runs the pipeline whenever the source has changed. */
export class Configuration implements ConfigurationSource {
  readonly #source: Source;
  readonly #lastGood: LastGoodFile | null;
  readonly #lastGoodPath: string;
  readonly #pipeline: Pipeline;
  readonly #files: WatchedFiles | undefined;
  readonly #now: () => number;
  readonly #listeners = new Set<(build: ConfigurationBuild) => void>();
  readonly #parsed = new Map<string, ParsedDocument>();
  /** Changes are worked off one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  #lastGoodFault: Problem | null = null;
  #build: ConfigurationBuild | null = null;
  #serving = '';
  #writeTimer: NodeJS.Timeout | null = null;
  #clockTimer: NodeJS.Timeout | null = null;
  #certified: Pipeline['certificates'] | null = null;
  #writeTook = 0;

  constructor({ source, lastGoodFile, files, now = Date.now }: ConfigurationOptions) {
    this.#source = source;
    this.#lastGoodPath = lastGoodFile ?? '';
    this.#lastGood = lastGoodFile === undefined ? null : new LastGoodFile(lastGoodFile);
    this.#files = files;
    this.#now = now;
    this.#pipeline = new Pipeline({
      now,
      parse: (text) => this.#parsed.get(text) ?? parseDocument(text),
      ...(files === undefined ? {} : { files }),
    });
  }

  async start(): Promise<ConfigurationBuild> {
    this.#readLastGood();
    // What changes while the first build is made waits for it.
    const { promise, resolve: open } = Promise.withResolvers<void>();
    this.#enqueue(() => promise);
    this.#files?.start(() => this.#changed(NOTHING));
    try {
      const first = await this.#source.start((change) => this.#changed(change));
      await this.#parseLarge(first);
      this.#run(first);
    } finally {
      open();
    }
    return this.current();
  }

  subscribe(listener: (build: ConfigurationBuild) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  current(): ConfigurationBuild {
    if (this.#build === null) throw new Error('the configuration was not started');
    return this.#build;
  }

  async reload(): Promise<void> {
    await this.#source.reload();
    this.#files?.look();
    await this.#queue;
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    this.#files?.stop();
    await this.#queue;
    if (this.#clockTimer !== null) clearTimeout(this.#clockTimer);
    this.#clockTimer = null;
    if (this.#writeTimer !== null) clearTimeout(this.#writeTimer);
    this.#writeTimer = null;
    if (this.#build !== null) this.#writeLastGood();
    this.#listeners.clear();
  }

  #changed(change: SourceChange): void {
    // A small change with nothing before it is in use before this returns.
    if (this.#queued === 0 && !worthPooling(textsOf(change))) this.#run(change);
    else {
      this.#enqueue(async () => {
        await this.#parseLarge(change);
        this.#run(change);
      });
    }
  }

  #enqueue(job: () => Promise<void>): void {
    this.#queued += 1;
    this.#queue = this.#queue.then(job).finally(() => {
      this.#queued -= 1;
    });
  }

  async #parseLarge(change: SourceChange): Promise<void> {
    const texts = new Set<string>();
    for (const item of change.upserts) {
      if (item.type !== 'text') continue;
      const known = this.#pipeline.documents(item.id);
      for (const { text } of splitDocuments(item.text)) if (!known.has(text)) texts.add(text);
    }
    if (!worthPooling(texts)) return;
    try {
      for (const [text, document] of await parseOnThreads([...texts])) this.#parsed.set(text, document);
    } catch {
      // No threads to be had: what they did not parse is parsed here.
    }
  }

  #run(change: SourceChange): void {
    const began = performance.now();
    const before = this.#build;
    const build = this.#withFault(this.#pipeline.apply(change));
    this.#parsed.clear();
    this.#build = build;
    this.#publish(build, (performance.now() - began) / 1000);
    this.#keep(build);
    this.#waitForTime();
    if (before === null || !differs(before, build)) return;
    for (const listener of this.#listeners) listener(build);
  }

  /** Certificates come into their time and out of it without anyone changing anything. */
  #waitForTime(): void {
    if (this.#clockTimer !== null) clearTimeout(this.#clockTimer);
    this.#clockTimer = null;
    const { changesAt } = this.#pipeline;
    if (changesAt === Infinity) return;
    this.#clockTimer = setTimeout(
      () => this.#changed(NOTHING),
      Math.max(1, Math.min(changesAt - this.#now(), LONGEST_WAIT)),
    );
    this.#clockTimer.unref();
  }

  #publish(build: ConfigurationBuild, seconds: number): void {
    if (reconciled.hasSubscribers) {
      const { changed, removed, problems } = build;
      reconciled.publish({
        seconds,
        changed: changed.length,
        removed: removed.length,
        problems: problems.length,
      } satisfies Reconciled);
    }
    this.#publishCertificates();
    if (!watched.hasSubscribers) return;
    for (const change of this.#pipeline.viewChanges) {
      const message = watchedChange(change);
      if (message !== null) watched.publish(message);
    }
  }

  #publishCertificates(): void {
    const { certificates } = this.#pipeline;
    if (!certified.hasSubscribers || certificates === this.#certified) return;
    this.#certified = certificates;
    const dated = [...certificates].flatMap(([name, { notAfter }]) =>
      notAfter === null ? [] : [{ name, notAfter }],
    );
    dated.sort((a, b) => a.notAfter - b.notAfter);
    certified.publish({ certificates: dated.slice(0, CERTIFICATES_PUBLISHED) } satisfies Certified);
  }

  #readLastGood(): void {
    if (this.#lastGood === null) return;
    try {
      this.#pipeline.seed(this.#lastGood.read());
    } catch (error) {
      this.#lastGoodFault = this.#lastGoodProblem(error);
    }
  }

  #lastGoodProblem(error: unknown): Problem {
    const why = error instanceof Error ? error.message : String(error);
    return {
      severity: 'warning',
      file: this.#lastGoodPath,
      line: 0,
      object: null,
      field: '',
      value: '',
      reason: 'LastGoodUnusable',
      message: `kept last good versions cannot be used: ${why}`,
      lastGoodServes: false,
    };
  }

  #withFault(build: ConfigurationBuild): ConfigurationBuild {
    return this.#lastGoodFault === null
      ? build
      : { ...build, problems: [this.#lastGoodFault, ...build.problems] };
  }

  /** Writes at once where last good versions serve, because then they are all there is; else in due time. */
  #keep(build: ConfigurationBuild): void {
    if (this.#lastGood === null) return;
    const serving = build.problems
      .filter((problem) => problem.lastGoodServes)
      .map(({ object }) => `${object?.kind}/${object?.namespace}/${object?.name}`)
      .join();
    if (serving !== this.#serving) {
      this.#serving = serving;
      if (serving !== '') {
        this.#writeLastGood();
        return;
      }
    }
    if (this.#writeTimer !== null) return;
    this.#writeTimer = setTimeout(
      () => void this.#writeLastGoodLater(),
      Math.max(WRITE_DELAY, this.#writeTook / WRITE_SHARE),
    );
    this.#writeTimer.unref();
  }

  async #writeLastGoodLater(): Promise<void> {
    this.#writeTimer = null;
    const began = performance.now();
    try {
      await this.#lastGood?.writeInTurns(this.#pipeline.collection.good());
    } catch (error) {
      this.#lastGoodFault = this.#lastGoodProblem(error);
    }
    this.#writeTook = performance.now() - began;
  }

  #writeLastGood(): void {
    if (this.#writeTimer !== null) clearTimeout(this.#writeTimer);
    this.#writeTimer = null;
    const began = performance.now();
    try {
      this.#lastGood?.write(this.#pipeline.collection.good());
    } catch (error) {
      // A full disk is no reason to stop serving; it is said with the next build.
      this.#lastGoodFault = this.#lastGoodProblem(error);
    }
    this.#writeTook = performance.now() - began;
  }
}

function textsOf(change: SourceChange): string[] {
  return change.upserts.flatMap((item) => (item.type === 'text' ? [item.text] : []));
}

function differs(before: ConfigurationBuild, now: ConfigurationBuild): boolean {
  return (
    now.changed.length > 0 ||
    now.removed.length > 0 ||
    before.objects.length !== now.objects.length ||
    before.objects.some((view, index) => view !== now.objects[index]) ||
    JSON.stringify(before.problems) !== JSON.stringify(now.problems)
  );
}

function watchedChange({ before, now }: ViewChange): Watched | null {
  if (now === null) return before === null ? null : { kind: before.object.kind, change: 'deleted' };
  const { kind } = now.object;
  if (before?.manifest === now.manifest)
    return failed(now) && !failed(before) ? { kind, change: 'failed' } : null;
  if (failed(now)) return { kind, change: 'failed' };
  return { kind, change: before === null ? 'added' : 'modified' };
}

const failed = (view: ObjectView): boolean =>
  view.conditions.some((one) => one.type === 'Accepted' && one.status === 'False');
