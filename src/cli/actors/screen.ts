import type { Terminal } from '../session.ts';

/** A terminal's second screen, which leaves what was there before as it was. */
export interface Screen {
  /** Draws over what is there; `more` tells of the lines for which there is no room. */
  show(lines: readonly string[], more: (count: number) => string): void;
  close(): void;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
const ROWS_UNKNOWN = 24;

/** `onQuit`: q or Ctrl-C was typed. `onResize`: draw again. */
export function openScreen({ stdin, stdout }: Terminal, onQuit: () => void, onResize: () => void): Screen {
  const keyboard = stdin as NodeJS.ReadableStream & { setRawMode?: (raw: boolean) => void; isTTY?: boolean };
  const raw = keyboard.isTTY === true;
  const typed = (chunk: Buffer | string) => {
    if (/[qQ\u0003\u0004]/.test(chunk.toString())) onQuit();
  };
  // Only a key may keep the process: its end, where it is a file, says nothing.
  if (raw) keyboard.setRawMode?.(true);
  keyboard.on('data', typed);
  stdout.on('resize', onResize);
  stdout.write(ENTER);
  return {
    show(lines, more) {
      const rows = (stdout as { rows?: number }).rows ?? ROWS_UNKNOWN;
      const shown =
        lines.length <= rows ? lines : [...lines.slice(0, rows - 1), more(lines.length - rows + 1)];
      stdout.write(`${HOME}${shown.map((line) => `${REST_OF_LINE}${line}`).join('\r\n')}${REST_OF_SCREEN}`);
    },
    close() {
      stdout.write(LEAVE);
      stdout.off('resize', onResize);
      keyboard.off('data', typed);
      if (raw) keyboard.setRawMode?.(false);
      keyboard.pause();
    },
  };
}
