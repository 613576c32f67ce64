/** Bounds of the call channel. Each is checked by the receiver, whatever the sender promised. */
export interface ChannelLimits {
  /** Largest message, bytes. Checked before anything is buffered; over it the session ends. @default 64 MiB */
  readonly maxMessageBytes: number
  /** Deepest nesting of a value. @default 512 */
  readonly maxDepth: number
  /** Most objects (arrays, maps, dates, …) in one message: an empty one takes one byte on the wire and some fifty in memory. @default 1,000,000 */
  readonly maxObjects: number
  /** Most requests of the other side that may be under way at once. @default 65,536 */
  readonly maxPendingRequests: number
  /** Bytes waiting to be written because the other side does not read; over it the session ends. @default 256 MiB */
  readonly maxQueuedBytes: number
}

/** The bounds that hold unless others are given. */
export const defaultLimits: ChannelLimits = Object.freeze({
  maxMessageBytes: 64 * 1024 * 1024,
  maxDepth: 512,
  maxObjects: 1_000_000,
  maxPendingRequests: 65_536,
  maxQueuedBytes: 256 * 1024 * 1024,
})
