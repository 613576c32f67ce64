/** Bounds of the call channel. Each is checked by the receiver, whatever the sender promised. */
export interface ChannelLimits {
  /** Largest message, bytes. Checked before anything is buffered; over it the session ends. @default 64 MiB */
  readonly maxMessageBytes: number
  /** Deepest nesting of a value. @default 512 */
  readonly maxDepth: number
  /** Most objects (arrays, maps, dates, …) in one message: an empty one takes two bytes on the wire and up to some hundreds in memory. @default 500,000 */
  readonly maxObjects: number
  /** Most values of any kind in one message, keys of objects included; typed arrays count as one. @default 1,500,000 */
  readonly maxValues: number
  /**
   * Work that reading one message may be, in steps of about a microsecond, counted in the same way by both sides: whoever sends
   * is told when a value is more, and the receiver ends the session of one who does not count. @default 100,000
   */
  readonly maxWork: number
  /**
   * CPU time that reading one message may take, milliseconds on a machine that does a step of work in a microsecond, and longer on
   * a slower one: keys can be made to collide, patterns to be slow. Infinity for a receiver that trusts the other side. @default 150
   */
  readonly maxDecodeMs: number
  /** Most requests of the other side that may be under way at once. @default 65,536 */
  readonly maxPendingRequests: number
  /** Memory that the parameters of those requests may hold together, bytes, as the receiver estimates it; over it a request is refused. @default 256 MiB */
  readonly maxPendingBytes: number
  /** Most functions of one side that the other may hold for one container. @default 65,536 */
  readonly maxCallbacks: number
  /** Most streams of one side that may be open for one container. @default 1,000 */
  readonly maxStreams: number
  /** How many items of a stream may be under way or waiting for whoever iterates it. @default 64 */
  readonly streamWindowItems: number
  /** How many bytes those items may have; the last of them may go beyond. @default 256 KiB */
  readonly streamWindowBytes: number
  /** Bytes waiting to be written because the other side does not read; over it the session ends. @default 256 MiB */
  readonly maxQueuedBytes: number
}

/** The bounds that hold unless others are given. */
export const defaultLimits: ChannelLimits = Object.freeze({
  maxMessageBytes: 64 * 1024 * 1024,
  maxDepth: 512,
  maxObjects: 500_000,
  maxValues: 1_500_000,
  maxWork: 100_000,
  maxDecodeMs: 150,
  maxPendingRequests: 65_536,
  maxPendingBytes: 256 * 1024 * 1024,
  maxCallbacks: 65_536,
  maxStreams: 1_000,
  streamWindowItems: 64,
  streamWindowBytes: 256 * 1024,
  maxQueuedBytes: 256 * 1024 * 1024,
})

/** How much of what programs log crosses, while the host listens: so many lines at once, so many a second, each of at most so many bytes. */
export const consoleBudget = Object.freeze({ atOnce: 4096, perSecond: 1024, maxBytes: 64 * 1024 })
