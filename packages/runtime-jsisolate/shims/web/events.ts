type Listener = { handleEvent(event: Event): unknown } | ((event: Event) => unknown)

interface Entry {
  readonly callback: Listener
  readonly isCapture: boolean
  readonly isOnce: boolean
}

interface ListenerOptions {
  capture?: boolean
  once?: boolean
  signal?: { aborted: boolean; addEventListener(type: string, listener: Listener, options?: ListenerOptions): void }
}

const stopped = new WeakSet<Event>()
const prevented = new WeakSet<Event>()
const targets = new WeakMap<Event, EventTarget>()

/** The web's Event, without a tree to bubble through. */
export class Event {
  readonly type: string
  readonly bubbles: boolean
  readonly cancelable: boolean
  readonly composed: boolean
  readonly timeStamp = Date.now()

  constructor(type: unknown, { bubbles = false, cancelable = false, composed = false } = {}) {
    this.type = String(type)
    this.bubbles = Boolean(bubbles)
    this.cancelable = Boolean(cancelable)
    this.composed = Boolean(composed)
  }

  get target(): EventTarget | null {
    return targets.get(this) ?? null
  }

  get currentTarget(): EventTarget | null {
    return targets.get(this) ?? null
  }

  get defaultPrevented(): boolean {
    return prevented.has(this)
  }

  preventDefault(): void {
    if (this.cancelable) prevented.add(this)
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    stopped.add(this)
  }

  get [Symbol.toStringTag](): string {
    return 'Event'
  }
}

/** The web's CustomEvent. */
export class CustomEvent extends Event {
  readonly detail: unknown

  constructor(type: unknown, { detail = null, ...options }: { detail?: unknown; bubbles?: boolean; cancelable?: boolean } = {}) {
    super(type, options)
    this.detail = detail
  }
}

/** The web's EventTarget. What a listener throws is thrown again on its own, so that it stops nobody else. */
export class EventTarget {
  readonly #listeners = new Map<string, Entry[]>()

  addEventListener(type: unknown, callback: Listener | null, options: boolean | ListenerOptions = {}): void {
    if (callback === null || callback === undefined) return
    const { capture = false, once = false, signal } = typeof options === 'boolean' ? { capture: options } : options
    if (signal?.aborted) return
    const name = String(type)
    const entries = this.#listeners.get(name) ?? []
    if (entries.some((entry) => entry.callback === callback && entry.isCapture === Boolean(capture))) return
    this.#listeners.set(name, [...entries, { callback, isCapture: Boolean(capture), isOnce: Boolean(once) }])
    signal?.addEventListener('abort', () => this.removeEventListener(name, callback, { capture }), { once: true })
  }

  removeEventListener(type: unknown, callback: Listener | null, options: boolean | ListenerOptions = {}): void {
    const isCapture = Boolean(typeof options === 'boolean' ? options : options.capture)
    const name = String(type)
    const entries = this.#listeners.get(name) ?? []
    this.#listeners.set(
      name,
      entries.filter((entry) => entry.callback !== callback || entry.isCapture !== isCapture),
    )
  }

  dispatchEvent(event: Event): boolean {
    targets.set(event, this)
    for (const { callback, isCapture, isOnce } of this.#listeners.get(event.type) ?? []) {
      if (isOnce) this.removeEventListener(event.type, callback, isCapture)
      try {
        if (typeof callback === 'function') callback.call(this, event)
        else callback.handleEvent(event)
      } catch (error) {
        setTimeout(() => {
          throw error
        })
      }
      if (stopped.has(event)) break
    }
    return !event.defaultPrevented
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget'
  }
}
