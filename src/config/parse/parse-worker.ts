import { type ParsedDocument, parseDocument } from './parse-document.ts';

/** Runs on a thread of the pool. */
export default function parseDocuments(texts: readonly string[]): ParsedDocument[] {
  return texts.map(parseDocument);
}
