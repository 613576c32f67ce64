import type { Channel } from '@confine-sandbox/contract'

/** A channel that lets its peer write into its own memory, and read there. Any other channel does as well, with a copy more. */
export interface FrameChannel extends Channel {
  /** Sends a short message: the first bytes of `memory`, which stays the sender's. `length` is below `shortMessageBytes`. */
  sendShort(memory: Buffer, length: number): void
  /**
   * Sends bytes that belong to the next message, in memory that becomes the channel's. At least `minAttachmentBytes`.
   * @param left may be called when nobody reads that memory any more.
   */
  sendAttachment(bytes: Uint8Array, left: () => void): void
  /** As `open`, for a receiver that takes what it wants before it returns. */
  openFrames(receiver: FrameChannelReceiver): void
}

/** Where such a channel delivers. */
export interface FrameChannelReceiver {
  /** One whole message: the bytes of `memory` from `start` to `end`. They are the receiver's until this returns. */
  frame(memory: Buffer, start: number, end: number): void
  /** Bytes that belong to the next message. The receiver may keep them. */
  attachment(bytes: Uint8Array<ArrayBuffer>): void
  closed(error?: Error): void
}

/** Messages that are sent together are gathered up to this length, each with its header. */
export const shortMessageBytes = 32 * 1024

/** Whether a channel is one of these. */
export function isFrameChannel(channel: Channel): channel is FrameChannel {
  return typeof (channel as Partial<FrameChannel>).openFrames === 'function'
}
