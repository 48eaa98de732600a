import type { Endpoint } from '../../model/endpoint.ts';
import { endpointId } from '../../model/endpoint.ts';
import { EndpointState } from './endpoint-state.ts';

/** The endpoints of a cluster in one worker, and those that have gone while requests were under way to them. */
export class EndpointSet {
  /** Those in use, by id. */
  readonly inUse = new Map<string, EndpointState>();
  readonly #removed = new Set<EndpointState>();
  /** Those that go when the cluster, which has gone, is no longer needed or comes back. */
  readonly #leaving = new Set<string>();

  get isLeaving(): boolean {
    return this.#leaving.size > 0;
  }

  all(): EndpointState[] {
    return [...this.inUse.values(), ...this.#removed];
  }

  put(config: Endpoint): void {
    const id = endpointId(config);
    this.#leaving.delete(id);
    const known = this.inUse.get(id);
    if (known === undefined) this.inUse.set(id, new EndpointState(config));
    else known.config = config;
  }

  removeLater(id: string): void {
    this.#leaving.add(id);
  }

  removeLeaving(): void {
    for (const id of this.#leaving) this.remove(id);
    this.#leaving.clear();
  }

  remove(id: string): void {
    const endpoint = this.inUse.get(id);
    if (endpoint === undefined) return;
    endpoint.removed = true;
    this.inUse.delete(id);
    endpoint.closeIdle();
    for (const line of [...endpoint.lines]) line.retire();
    if (endpoint.open > 0) this.#removed.add(endpoint);
  }

  /** A connection to it has gone. */
  looked(endpoint: EndpointState): void {
    if (endpoint.open === 0) this.#removed.delete(endpoint);
  }

  closeIdle(): void {
    for (const endpoint of this.inUse.values()) endpoint.closeIdle();
  }

  /** Besides this one and those, an endpoint could be asked. */
  hasOther(tried: readonly EndpointState[] | null, endpoint: EndpointState): boolean {
    for (const other of this.inUse.values())
      if (
        other !== endpoint &&
        other.config.ready &&
        other.weight > 0 &&
        other.usable &&
        !tried?.includes(other)
      )
        return true;
    return false;
  }
}
