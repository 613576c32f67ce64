import type { Codec } from './codec.ts'
import type { programConsole as ProgramConsole } from './console.ts'
import type { Exported } from './exported.ts'
import type { modules as Modules } from './modules.ts'
import type { Thrown } from './thrown.ts'
import type { timers as Timers } from './timers.ts'

/** What the prelude can ask of the outside: text without a NUL, which would end it, and numbers cross, nothing else. */
export interface Outside {
  /** Ends an operation. `word` is a value or what was thrown, encoded. */
  done(operationId: number, outcome: Outcome, word: string): void
  /** Calls function `index` of the host. */
  call(callId: number, index: number, params: string): void
  /** `word` is the level and the text, encoded. */
  log(word: string): void
  /** Where `require` leads: a FoundModule, encoded. */
  find(specifier: string, from: string): string
  /** The function of a CommonJS module that was found. @throws SyntaxError */
  compile(path: string): Function
  startTimer(id: number, delayMs: number): void
  stopTimer(id: number): void
  /** Something was thrown where nobody waits for it. */
  failed(word: string): void
}

/** How an operation ended. */
export type Outcome = 'value' | 'thrown' | 'missing' | 'uncopyable'

/** What the program finds, beside the language. */
interface PreludeOptions {
  readonly path: string
  readonly now?: number
  readonly seed?: number
  /** The host's globals: names, with the index of a function, a value, or the names below. */
  readonly globals: readonly GlobalEntry[]
}

export type GlobalEntry =
  | { readonly name: string; readonly index: number }
  | { readonly name: string; readonly value: unknown }
  | { readonly name: string; readonly below: readonly GlobalEntry[] }

/** What the outside can ask of the prelude. */
export interface Inside {
  /** Takes the wrapper of a CommonJS program, and runs it. */
  runCommonJs(operationId: number, wrapper: Function): void
  /** Takes what an ES module gave: its namespace, or a promise of it. */
  runModule(operationId: number, namespace: unknown): void
  /** `word` is the name and the list of parameters, encoded. */
  call(operationId: number, word: string): void
  settle(callId: number, hasFailed: boolean, word: string): void
  /** The time of a timer has come. */
  fire(timerId: number): void
  /** What was thrown, encoded. */
  read(thrown: unknown): string
}

interface Parts {
  readonly codec: Codec
  readonly exported: Exported
  readonly readThrown: (thrown: unknown) => Thrown
  readonly modules: typeof Modules
  readonly timers: typeof Timers
  readonly programConsole: typeof ProgramConsole
}

/** The program of ours that runs in the engine before any other. Crosses as its own text. */
export function prelude(
  outside: Outside,
  optionsText: string,
  { codec, exported, readThrown, modules, timers, programConsole }: Parts,
): Inside {
  const { encode, decode } = codec
  const { find, describe } = exported
  const global = globalThis as Record<string, any>
  const options = decode(optionsText) as PreludeOptions
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const maxWaiting = 10_000
  let exportsNow: () => unknown = () => undefined
  let lastCall = 0

  const fail = (operationId: number, thrown: unknown) => outside.done(operationId, 'thrown', encode(readThrown(thrown)))
  const finish = (operationId: number, value: unknown) => {
    let word: string
    try {
      word = encode(value)
    } catch (error) {
      outside.done(operationId, 'uncopyable', String(readThrown(error).message))
      return
    }
    outside.done(operationId, 'value', word)
  }
  /** Awaits what is thenable; everything else is answered at once. */
  const settleWith = (operationId: number, act: () => unknown, then: (value: unknown) => unknown) => {
    try {
      const result = act()
      const isThenable =
        ((typeof result === 'object' && result !== null) || typeof result === 'function') && typeof (result as any).then === 'function'
      if (!isThenable) finish(operationId, then(result))
      else {
        Promise.resolve(result)
          .then((value) => finish(operationId, then(value)))
          .catch((thrown) => fail(operationId, thrown))
      }
    } catch (thrown) {
      fail(operationId, thrown)
    }
  }
  const loaded = () => describe(exportsNow())

  const hostFunction = (index: number) => {
    return (...params: unknown[]) =>
      new Promise((resolve, reject) => {
        if (waiting.size >= maxWaiting) throw new RangeError(`More than ${maxWaiting} calls of the host wait for their answers`)
        const word = encode(params)
        const callId = ++lastCall
        waiting.set(callId, { resolve, reject })
        outside.call(callId, index, word)
      })
  }
  const put = (target: any, entries: readonly GlobalEntry[]) => {
    for (const entry of entries) {
      const known = Object.hasOwn(target, entry.name) ? target[entry.name] : undefined
      let value: unknown
      if ('index' in entry) value = hostFunction(entry.index)
      else if ('value' in entry) value = entry.value
      else {
        value = typeof known === 'object' && known !== null ? known : {}
        put(value, entry.below)
      }
      Object.defineProperty(target, entry.name, { value, writable: true, configurable: true, enumerable: true })
    }
  }

  global.console = programConsole((level, line) => outside.log(encode([level, line])))
  global.queueMicrotask = (task: unknown) => {
    if (typeof task !== 'function') throw new TypeError('queueMicrotask takes a function')
    void Promise.resolve().then(() => task())
  }
  if (options.seed !== undefined) {
    let state = options.seed >>> 0
    // mulberry32
    Math.random = () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    }
  }
  if (options.now !== undefined) {
    const { now } = options
    const Real = Date
    const Fixed = new Proxy(Real, {
      construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now] : args, newTarget),
      apply: () => new Real(now).toString(),
      get: (target, key, receiver) => (key === 'now' ? () => now : Reflect.get(target, key, receiver)),
    })
    Object.defineProperty(Real.prototype, 'constructor', { value: Fixed, writable: true, configurable: true })
    global.Date = Fixed
    delete global.performance
  }
  const clock = timers(outside.startTimer, outside.stopTimer, (thrown) => outside.failed(encode(readThrown(thrown))))
  Object.assign(global, clock.globals)
  put(global, options.globals)

  const { main, run, require } = modules((specifier, from) => decode(outside.find(specifier, from)), outside.compile)
  // Taken and removed by a module of this package, before anything of the program runs.
  global['confine:host'] = { require }

  return {
    runCommonJs(operationId, wrapper) {
      const module = main(options.path)
      exportsNow = () => module.exports
      settleWith(operationId, () => run(module, wrapper), loaded)
    },
    runModule(operationId, namespace) {
      if (!(namespace instanceof Promise)) {
        exportsNow = () => namespace
        finish(operationId, loaded())
        return
      }
      namespace
        .then((awaited) => {
          exportsNow = () => awaited
          finish(operationId, loaded())
        })
        .catch((thrown) => fail(operationId, thrown))
    },
    call(operationId, word) {
      const [name, params] = decode(word) as [string, unknown[]]
      let isMissing = false
      settleWith(
        operationId,
        () => {
          const method = find(exportsNow(), name)
          if (method !== undefined) return Reflect.apply(method.call, method.owner, params)
          isMissing = true
          outside.done(operationId, 'missing', '')
          return undefined
        },
        // An operation ends once; the outside lets the second word fall.
        (value) => (isMissing ? undefined : value),
      )
    },
    settle(callId, hasFailed, word) {
      const call = waiting.get(callId)
      if (call === undefined) return
      waiting.delete(callId)
      const value = decode(word) as any
      if (!hasFailed) call.resolve(value)
      else call.reject(Object.assign(new Error(value.message), { name: value.name }, value.code === undefined ? {} : { code: value.code }))
    },
    fire: clock.fire,
    read: (thrown) => encode(readThrown(thrown)),
  }
}
