import { existsSync, readFileSync } from 'node:fs';

/** Lines of an access log that `is` holds for, once there are so many: it is written now and then. */
export async function logLines(
  file: string,
  count: number,
  is: (line: Record<string, unknown>) => boolean = () => true,
): Promise<Record<string, unknown>[]> {
  for (;;) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const lines = text.split('\n').slice(0, -1);
    const wanted = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(is);
    if (wanted.length >= count) return wanted;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
