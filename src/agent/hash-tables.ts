import { Piscina } from 'piscina';
import type { OrderedTable, TableRequest } from '../dataplane/balance/hash-table.ts';

/** What dataplane workers ask of the main thread. */
export interface TableCalls {
  readonly build: (request: TableRequest) => Promise<OrderedTable>;
}

/**
 * Builds the tables of clusters that hash on a thread of their own: a large one would hold up requests for tens of
 * milliseconds. Workers that ask for the same table get the same memory.
 */
export class HashTables implements TableCalls {
  readonly #pool = new Piscina<TableRequest, OrderedTable>({
    filename: new URL('./hash-tables-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 60_000,
  });

  readonly build = (request: TableRequest): Promise<OrderedTable> => this.#pool.run(request);

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
