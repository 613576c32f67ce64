import { type Callback, ConfineError, type RemoteStream, released } from '@confine-sandbox/contract'
import { packer, type Packed } from './inside/pack.ts'
import { isShared } from './is-shared.ts'
import { unpacker } from './inside/unpack.ts'

/** What the tables outside an isolate need of the runtime. */
export interface OutsideReferencesOptions {
  /** The functions that the program may call from its start. Those that cross later are numbered behind them. */
  readonly functions: readonly ((...args: unknown[]) => unknown)[]
  /** Calls a function of the program. */
  invoke(id: number, params: unknown[]): Promise<unknown>
  /** Takes from a stream of the program. */
  pull(id: number, how: 'next' | 'return'): Promise<unknown>
  /** A function of the program is held no more. */
  forget(id: number): void
}

/** The functions and streams that a program was given, and those that it gave. Its numbers are looked up here and mean nothing else. */
export class OutsideReferences {
  readonly #options: OutsideReferencesOptions
  readonly #given = new Map<number, Given>()
  readonly #garbage = new FinalizationRegistry<() => void>((release) => release())
  #lastIndex: number
  readonly #packing = packer(
    {
      give: (kind, value) => this.#give(kind, value),
      takeBack: (_kind, index) => void this.#given.delete(index),
      // Loaded for this alone: a guest does without it.
      isRefused: (value) => value instanceof process.getBuiltinModule('node:net').Socket,
      isShared,
    },
    false,
  )
  readonly #unpack = unpacker({ callback: (id) => this.#callback(id), stream: (id) => this.#stream(id) })

  constructor(options: OutsideReferencesOptions) {
    this.#options = options
    this.#lastIndex = options.functions.length - 1
  }

  /** @throws with the place of what cannot cross. */
  pack(value: unknown, root: string): Packed {
    return this.#packing.pack(value, root)
  }

  /** What of a value could not be copied, with its place. */
  whyNot(value: unknown, root: string): string | undefined {
    return this.#packing.whyNot(value, root, structuredClone)
  }

  undo(packed: Packed): void {
    this.#packing.undo(packed)
  }

  /** @throws for what the prelude would not have packed. */
  unpack(packed: unknown): unknown {
    if (typeof packed !== 'object' || packed === null) throw new TypeError('A value of the isolate is malformed')
    return this.#unpack(packed as Packed)
  }

  /** The function of a number. */
  find(index: number): ((...args: unknown[]) => unknown) | undefined {
    return Number.isSafeInteger(index) ? (this.#options.functions[index] ?? this.#given.get(index)?.call) : undefined
  }

  /** The program holds it no more. */
  release(index: number): void {
    const given = this.#given.get(index)
    this.#given.delete(index)
    given?.stop()
  }

  /** The isolate is gone: nobody holds anything any more. */
  close(): void {
    const all = [...this.#given.values()]
    this.#given.clear()
    for (const { stop } of all) stop()
  }

  #give(kind: 'callback' | 'stream', value: object): number {
    if (this.#given.size >= maxGiven) {
      throw new ConfineError('ERR_CONFINE_LIMIT', `The program holds ${maxGiven} functions and streams already`)
    }
    const index = ++this.#lastIndex
    this.#given.set(index, kind === 'callback' ? givenCallback(value as never) : givenStream(value as never))
    return index
  }

  #callback(id: number): Callback {
    const options = this.#options
    let isReleased = false
    const callback = async (...params: unknown[]) => {
      if (isReleased) throw new ConfineError('ERR_CONFINE_REVOKED', 'The callback was released')
      return await options.invoke(id, params)
    }
    const forget = () => options.forget(id)
    const release = {
      configurable: true,
      writable: true,
      value: () => {
        if (isReleased) return
        isReleased = true
        this.#garbage.unregister(callback)
        forget()
      },
    }
    this.#garbage.register(callback, forget, callback)
    return Object.defineProperties(callback, { release, [Symbol.dispose]: release, [released]: release }) as unknown as Callback
  }

  #stream(id: number): RemoteStream {
    const { pull, forget } = this.#options
    const take = async (how: 'next' | 'return') => {
      const result = (await pull(id, how)) as { done?: unknown; value?: unknown } | undefined
      if (how === 'next' && typeof result === 'object' && result !== null && result.done !== true) {
        return { done: false as const, value: result.value }
      }
      this.#garbage.unregister(stream)
      forget(id)
      return { done: true as const, value: undefined }
    }
    const stream: RemoteStream = {
      next: () => take('next'),
      return: () => take('return'),
      [Symbol.asyncIterator]: () => stream,
      [Symbol.asyncDispose]: async () => void (await stream.return()),
    }
    this.#garbage.register(stream, () => void pull(id, 'return').catch(() => {}), stream)
    return stream
  }
}

interface Given {
  call(...args: unknown[]): unknown
  stop(): void
}

const maxGiven = 65_536

function givenCallback(callback: ((...args: unknown[]) => unknown) & { release?: unknown }): Given {
  return {
    call: (...args) => callback(...args),
    // It came from elsewhere, and this was its only holder here.
    stop: () => void (Symbol.dispose in callback && typeof callback.release === 'function' && callback.release()),
  }
}

function givenStream(value: AsyncIterable<unknown>): Given {
  let iterator: AsyncIterator<unknown> | undefined
  const open = () => (iterator ??= value[Symbol.asyncIterator]())
  const stop = async () => {
    try {
      await open().return?.()
    } catch {}
    return { done: true }
  }
  return { call: (how) => (how === 'return' ? stop() : open().next()), stop: () => void stop() }
}
