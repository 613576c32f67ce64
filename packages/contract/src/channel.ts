/**
 * Carries whole messages between two peers, in order. Its three members are all that a transport has to give; the call
 * protocol stands above it.
 */
export interface Channel {
  /** Sends one message. Never throws: what goes wrong arrives as `closed`. The bytes belong to the channel afterwards. */
  send(message: Uint8Array): void
  /** Starts delivery to the one receiver. Called once. */
  open(receiver: ChannelReceiver): void
  /** Ends both directions; what was sent before is flushed when that is possible. Calling it again does nothing. */
  close(): void
}

/** Where a channel delivers. */
export interface ChannelReceiver {
  /** One whole message. The receiver may keep the bytes. */
  message(message: Uint8Array): void
  /** Called exactly once, last. With an error when the channel broke or the other side broke its framing. */
  closed(error?: Error): void
}
