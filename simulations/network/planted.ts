import { Attempts } from '../../src/dataplane/client/attempts.ts';
import { Exchange } from '../../src/dataplane/client/exchange.ts';
import { Mirrors } from '../../src/dataplane/client/mirrored-request.ts';
import { SharedLimits } from '../../src/dataplane/limits.ts';
import { PendingQueue } from '../../src/dataplane/upstream/pending-queue.ts';
import { UpstreamConnection } from '../../src/dataplane/upstream/upstream-connection.ts';
import { LIMIT_PENDING } from '../../src/model/limits.ts';
import { ListenSocket } from '../../src/os/listen-socket.ts';
import { SocketStream } from '../../src/os/socket-stream.ts';

/**
 * Bugs that can be planted into the data plane from outside, to prove that the checkers find such:
 * - `unbounded-pending`: requests wait for a connection, however many wait already;
 * - `limit-kept-on-abort`: a waiting request whose client goes keeps its place in the limit;
 * - `unfinished-answer-reused`: a connection whose request was given up goes back to the pool with the answer in it;
 * - `paused-connection-reused`: a connection whose client was too slow goes to the next request as it is;
 * - `deaf-to-drain`: a listener that drains goes on listening;
 * - `memory-freed-early`: a stream's own memory goes to others while the runtime still reads into it;
 * - `posts-repeated`: whatever the policy says, a request of any method is sent again;
 * - `copies-of-copies`: a copy for a mirror is sent twice;
 * - `tunnel-ends-at-once`: an upgraded connection ends for both ways when its client ends its half.
 */
export const TRAFFIC_BUGS = [
  'unbounded-pending',
  'limit-kept-on-abort',
  'unfinished-answer-reused',
  'paused-connection-reused',
  'deaf-to-drain',
  'memory-freed-early',
  'posts-repeated',
  'copies-of-copies',
  'tunnel-ends-at-once',
] as const;

export type TrafficBug = (typeof TRAFFIC_BUGS)[number];

/** Plants it. Returns how to mend it again. */
export function plantTrafficBug(bug: TrafficBug): () => void {
  switch (bug) {
    case 'unbounded-pending': {
      const { take } = SharedLimits.prototype;
      SharedLimits.prototype.take = function (slot, field, most) {
        return take.call(this, slot, field, field === LIMIT_PENDING ? Number.POSITIVE_INFINITY : most);
      };
      return () => {
        SharedLimits.prototype.take = take;
      };
    }
    case 'limit-kept-on-abort': {
      const { remove } = PendingQueue.prototype;
      PendingQueue.prototype.remove = function (user) {
        const { give } = SharedLimits.prototype;
        SharedLimits.prototype.give = function (slot, field) {
          if (field !== LIMIT_PENDING) give.call(this, slot, field);
        };
        try {
          remove.call(this, user);
        } finally {
          SharedLimits.prototype.give = give;
        }
      };
      return () => {
        PendingQueue.prototype.remove = remove;
      };
    }
    case 'unfinished-answer-reused': {
      const { close } = UpstreamConnection.prototype;
      const seen = new WeakSet<UpstreamConnection>();
      UpstreamConnection.prototype.close = function () {
        if (this.user === null || !this.busy || this.stream.isClosed || seen.has(this)) {
          close.call(this);
          return;
        }
        seen.add(this);
        this.user = null;
        this.pool.release(this);
      };
      return () => {
        UpstreamConnection.prototype.close = close;
      };
    }
    case 'paused-connection-reused': {
      const { assign } = UpstreamConnection.prototype;
      UpstreamConnection.prototype.assign = function (user) {
        const { paused } = this.stream;
        assign.call(this, user);
        if (paused) this.stream.pause();
      };
      return () => {
        UpstreamConnection.prototype.assign = assign;
      };
    }
    case 'memory-freed-early': {
      const { share } = SocketStream.prototype;
      SocketStream.prototype.share = function () {
        const own = this.input;
        share.call(this);
        if (!this.isShared(own)) this.left(own);
      };
      return () => {
        SocketStream.prototype.share = share;
      };
    }
    case 'posts-repeated': {
      const { mayRepeat } = Attempts.prototype;
      Attempts.prototype.mayRepeat = () => true;
      return () => {
        Attempts.prototype.mayRepeat = mayRepeat;
      };
    }
    case 'tunnel-ends-at-once': {
      const { tunnelEnd } = Exchange.prototype;
      Exchange.prototype.tunnelEnd = function () {
        this.abort('client_reset');
      };
      return () => {
        Exchange.prototype.tunnelEnd = tunnelEnd;
      };
    }
    case 'copies-of-copies': {
      const { send } = Mirrors.prototype;
      Mirrors.prototype.send = function (isHead) {
        send.call(this, isHead);
        send.call(this, isHead);
      };
      return () => {
        Mirrors.prototype.send = send;
      };
    }
    case 'deaf-to-drain': {
      const { drain } = ListenSocket.prototype;
      ListenSocket.prototype.drain = (done) => void setImmediate(done);
      return () => {
        ListenSocket.prototype.drain = drain;
      };
    }
  }
}
