/**
 * What connections of a thread may hold, all together, of request bodies that backends do not take. As long as there
 * is some left, a body that waits holds its own stream's window only: the connection's is given back when the bytes
 * come. Beyond it the connection's window is given back as they are passed on, so that each holds its own at most.
 */
export class HeldBytes {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** False: there is not so much left, and none was taken. */
  take(bytes: number): boolean {
    if (this.#left < bytes) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}
