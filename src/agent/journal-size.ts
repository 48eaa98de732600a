/** Of one journal file of a thread, and of all files of a thread together. */
export const JOURNAL_FILE_BYTES = 4 * 1024 * 1024;
export const JOURNAL_TOTAL_BYTES = 32 * 1024 * 1024;
