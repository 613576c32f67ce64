import type { packer, Packed } from './pack.ts'
import type { unpacker } from './unpack.ts'

/** What the tables of the isolate need of its prelude. */
export interface InsideReferencesOptions {
  readonly packer: typeof packer
  readonly unpacker: typeof unpacker
  isShared(value: object): boolean
  /** Makes a function that calls one of outside by its number. */
  makeFunction(index: number, name: string): (...args: unknown[]) => Promise<any>
  /** The program holds a function of outside no more. */
  release(index: number): void
  makeError(facts: { name: string; message: string; code?: string }): Error
}

/**
 * The functions and streams that a program gave away, and those that it was given. Runs inside the isolate: uses nothing but
 * the language.
 */
export function insideReferences({ packer, unpacker, isShared, makeFunction, release, makeError }: InsideReferencesOptions) {
  const { apply, defineProperty } = Reflect
  const asyncIterator: typeof Symbol.asyncIterator = Symbol.asyncIterator
  const dispose: typeof Symbol.dispose = Symbol.dispose
  const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose
  const { register, unregister } = FinalizationRegistry.prototype
  const garbage = new FinalizationRegistry<number>((index) => release(index))
  const given = { __proto__: null } as unknown as Record<number, Given>
  const maxGiven = 65_536
  let givenCount = 0
  let lastId = 0

  interface Given {
    readonly value: any
    /** Of a stream that was begun. */
    iterator?: AsyncIterator<unknown>
  }

  const packing = packer(
    {
      give(_kind, value) {
        if (givenCount >= maxGiven) {
          throw makeError({ name: 'Error', message: `The program gave away ${maxGiven} functions already`, code: 'ERR_CONFINE_LIMIT' })
        }
        const id = ++lastId
        given[id] = { value }
        givenCount++
        return id
      },
      takeBack: (_kind, id) => takeBack(id),
      isRefused: () => false,
      isShared,
    },
    true,
  )

  const unpack = unpacker({ callback: makeCallback, stream: makeStream })

  function takeBack(id: number): void {
    if (given[id] === undefined) return
    delete given[id]
    givenCount--
  }

  function find(id: number): Given {
    const found = given[id]
    if (found === undefined) throw makeError({ name: 'Error', message: 'The callback was released', code: 'ERR_CONFINE_REVOKED' })
    return found
  }

  /** A function of outside. Its own number and no more keeps it alive there. */
  function makeCallback(index: number): Function {
    const callback = makeFunction(index, 'callback')
    const letGo = () => {
      apply(unregister, garbage, [callback])
      release(index)
    }
    define(callback, 'release', letGo)
    define(callback, dispose, letGo)
    apply(register, garbage, [callback, index, callback])
    return callback
  }

  /** A stream of outside: a function that is told what to do. */
  function makeStream(index: number): object {
    const call = makeFunction(index, 'stream')
    const stream = { next: () => call('next'), return: () => call('return') }
    define(stream, asyncIterator, () => stream)
    define(stream, asyncDispose, async () => {
      await stream.return()
    })
    apply(register, garbage, [stream, index, stream])
    return stream
  }

  /** Takes the next item of a stream that the program gave away, or stops it. */
  function pull(id: number, how: 'next' | 'return'): unknown {
    if (how === 'return' && given[id] === undefined) return { done: true }
    const stream = find(id)
    stream.iterator ??= stream.value[asyncIterator]() as AsyncIterator<unknown>
    if (how === 'next') return stream.iterator.next()
    takeBack(id)
    return typeof stream.iterator.return === 'function' ? stream.iterator.return() : { done: true }
  }

  function define(target: object, key: PropertyKey, value: unknown): void {
    defineProperty(target, key, { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor)
  }

  return {
    ...packing,
    unpack: (packed: unknown) => unpack(packed as Packed),
    call: (id: number) => find(id).value as Function,
    pull,
    takeBack,
  }
}
