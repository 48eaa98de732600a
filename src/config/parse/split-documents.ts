/** A piece of a file that is one YAML document. */
export interface DocumentText {
  readonly text: string;
  /** Line of the file at which it starts, from 1. */
  readonly line: number;
}

/**
 * Splits at `---` and `...` in column one. That needs no parser: neither may start a line inside of a document, not
 * even within a block scalar (YAML 1.2.2 section 9.1.2, c-forbidden). So a document can be parsed alone, a broken
 * one spares its neighbours, and an unchanged one need not be parsed again.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  const marker = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
  let start = 0;
  let line = 1;
  const take = (end: number): void => {
    const part = text.slice(start, end);
    if (hasContent(part)) documents.push({ text: part, line });
    for (
      let index = text.indexOf('\n', start);
      index !== -1 && index < end;
      index = text.indexOf('\n', index + 1)
    ) {
      line += 1;
    }
    start = end;
  };
  for (let match = marker.exec(text); match !== null; match = marker.exec(text)) {
    take(match.index);
    // The marker becomes part of the document it opens, where what follows it on its line belongs.
    if (match[0] === '...') {
      start = match.index + 3;
    }
  }
  take(text.length);
  return documents;
}

/** False for comments, blank lines, directives and a bare marker. */
function hasContent(text: string): boolean {
  return text.split('\n').some((row, index) => {
    const content = (index === 0 ? row.replace(/^(\uFEFF|---)/, '') : row).trim();
    return content !== '' && !content.startsWith('#') && !row.startsWith('%');
  });
}
