const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A time span as kubectl shows it: two units while the second still says something (`3m20s`, `5h12m`, `3d4h`). */
export function humanDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  if (ms < 0) return '0s';
  const span = Math.floor(ms);
  if (span < 2 * MINUTE) return `${Math.floor(span / SECOND)}s`;
  if (span < 10 * MINUTE) return two(span, MINUTE, 'm', SECOND, 's');
  if (span < 3 * HOUR) return `${Math.floor(span / MINUTE)}m`;
  if (span < 8 * HOUR) return two(span, HOUR, 'h', MINUTE, 'm');
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)}h`;
  if (span < 8 * DAY) return two(span, DAY, 'd', HOUR, 'h');
  if (span < 2 * YEAR) return `${Math.floor(span / DAY)}d`;
  if (span < 8 * YEAR) return two(span, YEAR, 'y', DAY, 'd');
  return `${Math.floor(span / YEAR)}y`;
}

function two(span: number, unit: number, letter: string, smaller: number, smallerLetter: string): string {
  const rest = Math.floor((span % unit) / smaller);
  return `${Math.floor(span / unit)}${letter}${rest === 0 ? '' : `${rest}${smallerLetter}`}`;
}

/** `-` where the time is not known. */
export function age(time: string | number | undefined, now: number): string {
  const at = typeof time === 'string' ? Date.parse(time) : time;
  return at === undefined || Number.isNaN(at) || at <= 0 ? '-' : humanDuration(now - at);
}
