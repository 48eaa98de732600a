/** So many at once, and again so many each second; useful work gives back, as said beside each. */
export interface BudgetLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * What a peer may make us do for nothing, for each connection. What is more ends the connection with
 * ENHANCE_YOUR_CALM and the fault named here, in the log and in metrics.
 */
export const ABUSE_LIMITS = {
  /**
   * Streams that the peer resets before their answer has ended, and streams that we have to reset because of what it
   * sends: `rapid_reset` (CVE-2023-44487, CVE-2025-8671: to the backend both cost the same). A browser that leaves a
   * page cancels about a hundred at once and then none; a proxy whose backend hangs, more. A stream that ends in order gives one back.
   * A request whose head is too large (431, 414) counts as one that had to be reset.
   */
  resets: { burst: 500, perSecond: 33 },
  /**
   * Frames that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown types, RST_STREAM and
   * others on closed streams, requests that are refused: `ping_flood` and so on, after the frame that was one too
   * many (CVE-2019-9511 to 9518). A request gives back four and a DATA frame of ours two: peers answer each of these
   * with a WINDOW_UPDATE of stream and connection, and gRPC measures the path with a PING.
   */
  emptyFrames: { burst: 1000, perSecond: 200 },
  earnedByRequest: 4,
  earnedByData: 2,
  /**
   * DATA frames of less than `tinyDataBytes` that end nothing: `tiny_data_flood`. Small messages of gRPC and WebSocket
   * are such; at this rate they take a twentieth of a core.
   */
  tinyData: { burst: 250_000, perSecond: 250_000 },
  tinyDataBytes: 64,
  /**
   * DATA frames of ours that were cut shorter than `tinyBytes` because the peer opens its window no further:
   * `tiny_windows`. Whoever reads so slowly that it matters is ended by the minimum rate; this bounds what the frames
   * cost until then.
   */
  tinyFrames: { burst: 1000, perSecond: 100 },
  tinyBytes: 256,
  /**
   * Frames of one head, the first and its CONTINUATIONs: `continuation_flood` (CVE-2024-27316). A head of 64 KB takes
   * five; nobody has a reason to send shorter ones.
   */
  framesPerHead: 16,
  /**
   * Bytes of one head as they travel, as a multiple of what it may be when unpacked, which is answered by 431:
   * `header_block_too_large`. Above the multiple nothing is answered, as the rest would have to be read for that.
   */
  headBytesFactor: 2,
  /**
   * The same of one head as it is unpacked, as SETTINGS_MAX_HEADER_LIST_SIZE counts: `head_bomb`. Up to there every
   * field is worked through, since those behind it may become entries of the table.
   */
  listBytesFactor: 4,
  /**
   * Of request bodies that a worker holds because backends do not take them, before a connection's window is held back
   * too: 64 streams with the usual window.
   */
  heldBytes: 16_777_216,
  /** Interim answers (1xx) that a backend may send before the answer: `interim_flood`. */
  interimHeads: 100,
  /**
   * Frames of ours that answer frames of the peer (PING and SETTINGS acknowledged, resets) while it takes nothing of
   * what we send: `unread_answers` (CVE-2019-9512, 9515, 9517).
   */
  unreadAnswers: 1000,
  /** Entries of one SETTINGS frame beyond which each costs as a frame of its own. There are eight settings. */
  settingsPerFrame: 16,
  /** A changed initial window is applied to every open stream; so many cost as a frame. */
  streamsPerFrame: 8,
} as const;
