/** Node's `events`. Runs inside the isolate: uses nothing but the language. */
export function eventsModule() {
  type Listener = ((...args: unknown[]) => unknown) & { listener?: Listener }
  type Name = string | symbol

  class EventEmitter {
    static defaultMaxListeners = 10
    static readonly errorMonitor = Symbol('events.errorMonitor')
    _listeners: Map<Name, Listener[]> | undefined

    on(name: Name, listener: Listener): this {
      return add(this, name, listener, false)
    }

    addListener(name: Name, listener: Listener): this {
      return add(this, name, listener, false)
    }

    prependListener(name: Name, listener: Listener): this {
      return add(this, name, listener, true)
    }

    once(name: Name, listener: Listener): this {
      return add(this, name, onlyOnce(this, name, listener), false)
    }

    prependOnceListener(name: Name, listener: Listener): this {
      return add(this, name, onlyOnce(this, name, listener), true)
    }

    off(name: Name, listener: Listener): this {
      return remove(this, name, listener)
    }

    removeListener(name: Name, listener: Listener): this {
      return remove(this, name, listener)
    }

    removeAllListeners(name?: Name): this {
      if (name === undefined) this._listeners = undefined
      else this._listeners?.delete(name)
      return this
    }

    emit(name: Name, ...args: unknown[]): boolean {
      if (name === 'error') this.emit(EventEmitter.errorMonitor, ...args)
      const listeners = this._listeners?.get(name)
      if (listeners === undefined) {
        if (name !== 'error') return false
        if (args[0] instanceof Error) throw args[0]
        throw Object.assign(new Error(`Unhandled error. (${String(args[0])})`), { code: 'ERR_UNHANDLED_ERROR', context: args[0] })
      }
      for (const listener of [...listeners]) Reflect.apply(listener, this, args)
      return true
    }

    listeners(name: Name): Listener[] {
      return (this._listeners?.get(name) ?? []).map((listener) => listener.listener ?? listener)
    }

    rawListeners(name: Name): Listener[] {
      return [...(this._listeners?.get(name) ?? [])]
    }

    listenerCount(name: Name): number {
      return this._listeners?.get(name)?.length ?? 0
    }

    eventNames(): Name[] {
      return [...(this._listeners?.keys() ?? [])]
    }

    setMaxListeners(): this {
      return this
    }

    getMaxListeners(): number {
      return EventEmitter.defaultMaxListeners
    }
  }

  function add<T extends EventEmitter>(emitter: T, name: Name, listener: Listener, isFirst: boolean): T {
    if (typeof listener !== 'function') {
      throw Object.assign(new TypeError('The "listener" argument must be of type function'), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    if (emitter.listenerCount('newListener') > 0) emitter.emit('newListener', name, listener.listener ?? listener)
    emitter._listeners ??= new Map()
    const listeners = emitter._listeners.get(name) ?? []
    if (isFirst) listeners.unshift(listener)
    else listeners.push(listener)
    emitter._listeners.set(name, listeners)
    return emitter
  }

  function remove<T extends EventEmitter>(emitter: T, name: Name, listener: Listener): T {
    const listeners = emitter._listeners?.get(name)
    const index = listeners?.findLastIndex((known) => known === listener || known.listener === listener) ?? -1
    if (listeners === undefined || index === -1) return emitter
    listeners.splice(index, 1)
    if (listeners.length === 0) emitter._listeners!.delete(name)
    if (emitter.listenerCount('removeListener') > 0) emitter.emit('removeListener', name, listener)
    return emitter
  }

  function onlyOnce(emitter: EventEmitter, name: Name, listener: Listener): Listener {
    if (typeof listener !== 'function') return listener
    const wrapper: Listener = (...args) => {
      emitter.off(name, wrapper)
      return Reflect.apply(listener, emitter, args)
    }
    wrapper.listener = listener
    return wrapper
  }

  function once(emitter: EventEmitter, name: Name): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const done = (...args: unknown[]) => {
        emitter.off('error', failed)
        resolve(args)
      }
      const failed = (error: unknown) => {
        emitter.off(name, done)
        reject(error)
      }
      emitter.once(name, done)
      if (name !== 'error') emitter.once('error', failed)
    })
  }

  // Older programs call the class as a function: EventEmitter.call(this).
  const Callable = new Proxy(EventEmitter, { apply: () => undefined })
  return Object.assign(Callable, {
    EventEmitter: Callable,
    once,
    listenerCount: (emitter: EventEmitter, name: Name) => emitter.listenerCount(name),
  })
}
