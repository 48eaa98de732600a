/**
 * Reads the Prometheus text format 0.0.4 character by character, from its specification and sharing nothing with
 * the code that writes it. Throws where the text breaks a rule: order of HELP, TYPE and samples, names, escapes,
 * numbers, duplicate series, histogram shape.
 */
export interface Family {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end with a line feed');
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let current: { name: string; family: Family } | null = null;
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (comment !== null) {
      const [, what, name, rest] = comment as unknown as [string, string, string, string];
      if (what === 'HELP') {
        if (families.has(name)) throw new Error(`${name} has HELP twice`);
        current = { name, family: { type: '', help: unescaped(rest, ['\\', 'n']), samples: [] } };
        families.set(name, current.family);
      } else {
        if (current?.name !== name) throw new Error(`TYPE ${name} does not follow its HELP`);
        if (current.family.samples.length > 0) throw new Error(`TYPE ${name} after samples`);
        if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest))
          throw new Error(`type ${rest}`);
        current.family.type = rest;
      }
      continue;
    }
    if (line.startsWith('#')) throw new Error(`comment that is neither HELP nor TYPE: ${line}`);
    const sample = parseSample(line);
    if (current === null || !belongs(sample.name, current.name, current.family.type)) {
      throw new Error(`${sample.name} stands outside its family`);
    }
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (series.has(key)) throw new Error(`series twice: ${line}`);
    series.add(key);
    current.family.samples.push(sample);
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family);
  return families;
}

function belongs(sample: string, family: string, type: string): boolean {
  if (type !== 'histogram') return sample === family;
  return ['_bucket', '_sum', '_count'].some((suffix) => sample === `${family}${suffix}`);
}

function parseSample(line: string): Family['samples'][number] {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`no metric name: ${line}`);
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    at += 1;
    while (line[at] !== '}') {
      const label = /^[a-zA-Z_][a-zA-Z0-9_]*(?==")/.exec(line.slice(at))?.[0];
      if (label === undefined) throw new Error(`label name at ${at}: ${line}`);
      at += label.length + 2;
      const start = at;
      while (line[at] !== '"') {
        if (at >= line.length) throw new Error(`label value has no end: ${line}`);
        at += line[at] === '\\' ? 2 : 1;
      }
      if (label in labels) throw new Error(`label ${label} twice: ${line}`);
      labels[label] = unescaped(line.slice(start, at), ['\\', 'n', '"']);
      at += 1;
      if (line[at] === ',') at += 1;
      else if (line[at] !== '}') throw new Error(`neither , nor } at ${at}: ${line}`);
    }
    at += 1;
  }
  // As Go's ParseFloat, in any case of letters.
  const number = /^ ([+-]inf|nan|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.exec(line.slice(at))?.[1];
  if (number === undefined) throw new Error(`no value: ${line}`);
  const value = Number(number.replace(/inf$/i, 'Infinity').replace(/nan$/i, 'NaN'));
  return { name, labels, value };
}

function unescaped(text: string, allowed: readonly string[]): string {
  return text.replace(/\\(.?)/gs, (_, character: string) => {
    if (!allowed.includes(character)) throw new Error(`escape \\${character} in ${text}`);
    return character === 'n' ? '\n' : character;
  });
}

function checkHistogram(name: string, family: Family): void {
  const groups = new Map<string, { buckets: [number, number][]; sum?: number; count?: number }>();
  for (const sample of family.samples) {
    const { le, ...rest } = sample.labels;
    const key = JSON.stringify(Object.entries(rest).sort());
    const group = groups.get(key) ?? { buckets: [] };
    groups.set(key, group);
    if (sample.name.endsWith('_bucket')) {
      group.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), sample.value]);
    } else if (sample.name.endsWith('_sum')) group.sum = sample.value;
    else group.count = sample.value;
  }
  for (const [key, { buckets, sum, count }] of groups) {
    const where = `${name} ${key}`;
    if (buckets.at(-1)?.[0] !== Number.POSITIVE_INFINITY)
      throw new Error(`${where}: the last bucket is not +Inf`);
    for (let index = 1; index < buckets.length; index += 1) {
      if (!(buckets[index]![0] > buckets[index - 1]![0])) throw new Error(`${where}: bounds do not rise`);
      if (buckets[index]![1] < buckets[index - 1]![1])
        throw new Error(`${where}: buckets are not cumulative`);
    }
    if (sum === undefined) throw new Error(`${where}: no sum`);
    if (count !== buckets.at(-1)![1]) throw new Error(`${where}: count is not the +Inf bucket`);
  }
}
