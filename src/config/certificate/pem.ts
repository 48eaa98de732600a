/** Blocks of one label (RFC 7468), as they stand there without what stands between them. */
export function pemBlocks(text: string, label: RegExp): readonly string[] {
  const blocks: string[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)) {
    if (label.test(match[1]!)) blocks.push(`${match[0].replaceAll('\r', '')}\n`);
  }
  return blocks;
}

export const CERTIFICATE = /^CERTIFICATE$/;
export const PRIVATE_KEY = /PRIVATE KEY$/;
