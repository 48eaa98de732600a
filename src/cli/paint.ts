import { styleText } from 'node:util';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'dim' | 'strong';

export type Paint = (tone: Tone, text: string) => string;

const STYLES = { good: 'green', warn: 'yellow', bad: 'red', dim: 'gray', strong: 'bold' } as const;

/** Colours where `enabled`; elsewhere the text as it is. */
export function painter(enabled: boolean): Paint {
  return (tone, text) =>
    !enabled || tone === 'plain' || text === ''
      ? text
      : styleText(STYLES[tone], text, { validateStream: false });
}

/** Characters that trees and marks are drawn with. */
export interface Glyphs {
  readonly branch: string;
  readonly lastBranch: string;
  readonly trunk: string;
  readonly gap: string;
  readonly good: string;
  readonly degraded: string;
  readonly bad: string;
  readonly unknown: string;
  readonly arrow: string;
  readonly dot: string;
  readonly ellipsis: string;
}

export const UNICODE: Glyphs = {
  branch: '├─ ',
  lastBranch: '└─ ',
  trunk: '│  ',
  gap: '   ',
  good: '●',
  degraded: '◐',
  bad: '✗',
  unknown: '○',
  arrow: '→',
  dot: '·',
  ellipsis: '…',
};

export const ASCII: Glyphs = {
  branch: '|- ',
  lastBranch: '`- ',
  trunk: '|  ',
  gap: '   ',
  good: '[ok]',
  degraded: '[!]',
  bad: '[x]',
  unknown: '[?]',
  arrow: '->',
  dot: '-',
  ellipsis: '...',
};

/** False where the locale says that the terminal cannot show Unicode; a locale that says nothing can. */
export function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  if (env.TERM === 'dumb' || env.TERM === 'linux') return false;
  return locale === undefined || /utf-?8/i.test(locale);
}
