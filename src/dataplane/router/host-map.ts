/**
 * Values by host name: exact, by suffix (`*.example.com` takes every name below `example.com`), or for any host.
 * Names are in lower case.
 */
export class HostMap<T> {
  readonly #exact = new Map<string, T>();
  /** `.example.com` */
  readonly #suffixes = new Map<string, T>();
  #any: T | undefined;

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#suffixes.size === 0 && this.#any === undefined;
  }

  /** `hostname` empty is any host. */
  get(hostname: string): T | undefined {
    if (hostname === '') return this.#any;
    return hostname.startsWith('*.') ? this.#suffixes.get(hostname.slice(1)) : this.#exact.get(hostname);
  }

  set(hostname: string, value: T): void {
    if (hostname === '') this.#any = value;
    else if (hostname.startsWith('*.')) this.#suffixes.set(hostname.slice(1), value);
    else this.#exact.set(hostname, value);
  }

  delete(hostname: string): void {
    if (hostname === '') this.#any = undefined;
    else if (hostname.startsWith('*.')) this.#suffixes.delete(hostname.slice(1));
    else this.#exact.delete(hostname);
  }

  /** All values that take `host`, the most specific first. */
  matches(host: string): T[] {
    const found: T[] = [];
    const exact = this.#exact.get(host);
    if (exact !== undefined) found.push(exact);
    if (this.#suffixes.size > 0) {
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const suffix = this.#suffixes.get(host.slice(dot));
        if (suffix !== undefined) found.push(suffix);
      }
    }
    if (this.#any !== undefined) found.push(this.#any);
    return found;
  }
}
