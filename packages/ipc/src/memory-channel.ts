import type { Channel, ChannelReceiver } from '@confine-sandbox/contract'

/** Two ends of a channel within one process, for tests and for runtimes that need no process. Delivery is asynchronous. */
export function memoryChannelPair(): [Channel, Channel] {
  const left = new MemoryChannel()
  const right = new MemoryChannel()
  left.connect(right)
  right.connect(left)
  return [left, right]
}

class MemoryChannel implements Channel {
  #other: MemoryChannel | undefined
  #receiver: ChannelReceiver | undefined
  #inbox: Uint8Array[] = []
  #isClosed = false

  connect(other: MemoryChannel): void {
    this.#other = other
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return
    // The sender may reuse its buffer, as it may when bytes have left through a socket.
    const copy = Uint8Array.from(message)
    queueMicrotask(() => this.#other?.deliver(copy))
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    const waiting = this.#inbox
    this.#inbox = []
    for (const message of waiting) receiver.message(message)
    if (this.#isClosed) receiver.closed()
  }

  close(): void {
    if (this.#isClosed) return
    const other = this.#other
    queueMicrotask(() => {
      this.end()
      other?.end()
    })
  }

  deliver(message: Uint8Array): void {
    if (this.#isClosed) return
    if (this.#receiver === undefined) this.#inbox.push(message)
    else this.#receiver.message(message)
  }

  end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#receiver?.closed()
  }
}
