import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { ParsedDocument } from './parse-document.ts';

/** Below this many characters a thread costs more than it saves. YAML is read at about 1 MB/s. */
const WORTHWHILE = 512 * 1024;
const BATCH = 128 * 1024;

/** Characters that are to be parsed, of documents that are not known yet. */
export function worthPooling(texts: Iterable<string>): boolean {
  let sum = 0;
  for (const text of texts) sum += text.length;
  return sum >= WORTHWHILE;
}

/** Parses many documents on several threads; the threads end afterwards. */
export async function parseOnThreads(texts: readonly string[]): Promise<Map<string, ParsedDocument>> {
  const pool = new Piscina<readonly string[], ParsedDocument[]>({
    filename: new URL('./parse-worker.ts', import.meta.url).href,
    maxThreads: Math.min(8, availableParallelism()),
  });
  try {
    const parsed = new Map<string, ParsedDocument>();
    await Promise.all(
      batches(texts).map(async (batch) => {
        const results = await pool.run(batch);
        for (const [index, result] of results.entries()) parsed.set(batch[index]!, result);
      }),
    );
    return parsed;
  } finally {
    await pool.destroy();
  }
}

function batches(texts: readonly string[]): string[][] {
  const all: string[][] = [];
  let size = BATCH;
  for (const text of texts) {
    if (size >= BATCH) {
      all.push([]);
      size = 0;
    }
    all.at(-1)!.push(text);
    size += text.length;
  }
  return all;
}
