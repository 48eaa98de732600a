import type { TrafficChecker } from './checker.ts';
import { PORTS } from './topology.ts';
import { EDGE, type TrafficWorld } from './traffic-world.ts';

/** A worker takes what waits in its queue before it closes the socket, in up to a thousand short turns. */
const CLOSING_MS = 300;
const SLACK_MS = 500;

/**
 * A port that no listener has any more takes no new connections, and those that it had are gone when the time to drain
 * is over. Looked at from outside: who listens, who is connected.
 */
export function drains(world: TrafficWorld): TrafficChecker {
  const { edge, clock, network, topology } = world;
  const ports = PORTS.map((port) => ({ port, leftAt: Number.NEGATIVE_INFINITY, accepted: 0 }));
  const deadline = topology.drainTimeoutMs + CLOSING_MS + SLACK_MS;
  return {
    name: 'a listener that is gone accepts nothing, and its connections end in time',
    always() {
      for (const each of ports) {
        const { port } = each;
        const inUse = topology.listeners.some(({ name }) => {
          const resource = edge.resources.get(`listener/${name}`);
          return resource?.kind === 'listener' && resource.value.port === port;
        });
        // While a change is prepared its sockets are bound already.
        if (inUse || edge.changing > 0) {
          each.leftAt = clock.now;
          continue;
        }
        const gone = clock.now - each.leftAt;
        const sockets = world.accepted(port);
        if (gone <= CLOSING_MS) {
          each.accepted = sockets.accepted;
          continue;
        }
        if (network.listeners(EDGE, port) > 0)
          return `port ${port} still listens ${Math.round(gone)} ms after its last listener was removed`;
        if (sockets.accepted > each.accepted)
          return `port ${port} took a connection ${Math.round(gone)} ms after its last listener was removed`;
        if (gone > deadline && sockets.open > 0)
          return `port ${port} has ${sockets.open} connections ${Math.round(gone)} ms after its last listener was removed`;
      }
      return null;
    },
  };
}
