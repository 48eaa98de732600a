import { H1_WORKS } from './h1.ts';
import { SECURE_WORKS } from './secure.ts';
import { STREAM_WORKS } from './streams.ts';
import type { Work } from './work.ts';

export const WORKS: readonly Work[] = [...H1_WORKS, ...SECURE_WORKS, ...STREAM_WORKS];
