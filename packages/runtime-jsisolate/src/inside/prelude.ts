import type { guestConsole as makeConsole } from './console.ts'
import type { exported } from './exported.ts'
import type { formatter } from './format.ts'
import type { GlobalShape, HostAnswer, HostError, hostCalls, Task } from './host-calls.ts'
import type { dynamicImports } from './imports.ts'
import type { LoadedModule, modules } from './modules.ts'
import type { processMembers } from './node/process.ts'
import type { nodeTimers } from './node/timeouts.ts'
import type { packer, Packed } from './pack.ts'
import type { insideReferences } from './references.ts'
import type { sharedMemory } from './shared-memory.ts'
import type { stacks } from './stacks.ts'
import type { thrownReader } from './thrown.ts'
import type { timers } from './timers.ts'
import type { webGlobals } from './web-globals.ts'
import type { unpacker } from './unpack.ts'

/**
 * What the isolate can ask of the outside. A program that got hold of these functions could do no more with them than
 * the prelude does: the outside checks what they are given, and they throw nothing but what copying throws.
 */
export interface Outside {
  /** Ends an operation. The outcome is 'value', 'thrown', 'missing' or 'uncopyable'. */
  done(operationId: number, outcome: Outcome, value: unknown): void
  /** Calls a function outside, for an operation: 0 for none. */
  call(callId: number, index: number, args: Packed, operationId: number): void
  /** The program holds a function or stream of outside no more. */
  release(index: number): void
  arm(delayMs: number): void
  write(stream: 1 | 2, text: string): void
  log(level: string, args: Packed): void
  exit(code: number): void
  load(specifier: string, from: string): LoadedModule
  /** Loads a module for `import()`; without a name, says that it has arrived. */
  importModule(importId: number, specifier?: string, from?: string): void
  /** Answers a shim: random bytes, the parts of a URL, the text of bytes. */
  system(name: string, ...args: unknown[]): unknown
  clone(value: unknown): unknown
}

/** The members of Outside, in the order in which they are handed in. */
export const outsideNames = [
  'done',
  'call',
  'release',
  'arm',
  'write',
  'log',
  'exit',
  'load',
  'importModule',
  'system',
  'clone',
] as const satisfies (keyof Outside)[]

/** How an operation ended. */
export type Outcome = 'value' | 'thrown' | 'missing' | 'uncopyable'

/** What is fixed for one program. */
export interface PreludeOptions {
  readonly path: string
  readonly env: 'vanilla' | 'nodejs'
  readonly globals: GlobalShape & { kind: 'object' }
}

/** What the outside can ask of the isolate. */
export interface Inside {
  /**
   * Puts on the global object, for the next script or module, what takes the program: `run` for a CommonJS wrapper,
   * `loaded` for the namespace of an ES module. It is gone before the program runs. The operation ends with the
   * description of what the program exports; operation 0 is none.
   */
  lend(operationId: number, path: string): void
  /** Names what a CommonJS module exports, as an operation. */
  names(operationId: number, specifier: string): void
  call(operationId: number, name: string, params: Packed): void
  /** Calls a function that the program gave away, as an operation. */
  invoke(operationId: number, id: number, params: Packed): void
  /** Takes from a stream that the program gave away, as an operation. */
  pull(operationId: number, id: number, how: 'next' | 'return'): void
  /** Outside holds a function of the program no more. */
  forget(id: number): void
  settle(callId: number, answer: HostAnswer): void
  tick(): void
  /** A module is about to run that was imported at run time. */
  importing(importId: number): void
  /** A module that was imported at run time is there already, or cannot be loaded. */
  imported(importId: number, path: string): void
  importFailed(importId: number, facts: HostError): void
  /** Whether the outside wants to know what the program logs. */
  capture(isOn: boolean): void
  /** Answers an operation that is not under way, because a task failed in the middle. */
  probe(operationId: number, message: string): void
}

/** Ends the preparation of an isolate for one program. */
export type Begin = (options: Packed) => Enter

/** The one way into the isolate. */
export type Enter = <Name extends keyof Inside>(name: Name, ...args: Parameters<Inside[Name]>) => void

interface Parts {
  guestConsole: typeof makeConsole
  exported: typeof exported
  formatter: typeof formatter
  sharedMemory: typeof sharedMemory
  stacks: typeof stacks
  hostCalls: typeof hostCalls
  dynamicImports: typeof dynamicImports
  modules: typeof modules
  insideReferences: typeof insideReferences
  packer: typeof packer
  processMembers: typeof processMembers
  nodeTimers: typeof nodeTimers
  thrownReader: typeof thrownReader
  timers: typeof timers
  webGlobals: typeof webGlobals
  unpacker: typeof unpacker
}

/**
 * Runs in a new isolate, also before it is known for which program; what is particular to that comes with `begin`. Strict, so that no stack frame gives a program one of its functions, and
 * with its own references to what it uses of the language, so that a program may change that as it likes.
 */
export function isolatePrelude(outside: Outside, parts: Parts): Begin {
  const { done, call: sendCall, release, arm, write, log, exit, load, importModule, system, clone } = outside
  const { apply, defineProperty } = Reflect
  const { isInteger } = Number
  const { hasOwn, keys } = Object
  const toNumber = Number
  const toText = String
  const { trim } = String.prototype
  const { then } = Promise.prototype
  const resolved = Promise.resolve()
  const realm = globalThis as unknown as Record<string, unknown>

  const none = () => {
    throw new TypeError('A global is malformed')
  }
  const unpackOptions = parts.unpacker({ callback: none, stream: none }) as (packed: Packed) => PreludeOptions

  parts.stacks()
  const { find, describe } = parts.exported()
  const read = parts.thrownReader()
  const { format } = parts.formatter()
  const shared = parts.sharedMemory()
  const guestConsole = parts.guestConsole({ format, write, log, isShared: shared.isShared }, parts.packer)
  const task: Task = { operation: 0 }
  const host = parts.hostCalls(send, task)
  const references = parts.insideReferences({ ...parts, ...host, ...shared, release })
  const { globals: timerGlobals, tick } = parts.timers(arm, task)
  const { importer, importing, imported, importFailed } = parts.dynamicImports(importModule, host.makeError, task)
  const { runMain, requireFrom } = parts.modules(load, host.makeError, importer, system)

  const underWay = { __proto__: null } as unknown as Record<number, true>
  const missing = {}
  let exportsOf: () => unknown = () => undefined

  function finish(id: number, value: unknown): void {
    delete underWay[id]
    let packed: Packed | undefined
    try {
      packed = references.pack(value, 'result')
      done(id, 'value', packed)
    } catch (error) {
      if (packed !== undefined) references.undo(packed)
      const why = packed === undefined && hasOwn(error as object, 'code') ? undefined : references.whyNot(value, 'result', clone)
      done(id, 'uncopyable', why ?? read(error).message)
    }
  }

  function send(callId: number, index: number, args: unknown[], operationId: number): void {
    let packed: Packed | undefined
    try {
      packed = references.pack(args, 'params')
      sendCall(callId, index, packed, operationId)
    } catch (error) {
      if (packed === undefined) throw error
      references.undo(packed)
      const message = references.whyNot(args, 'params', clone)
      throw message === undefined ? error : host.makeError({ name: 'ConfineError', message, code: 'ERR_CONFINE_VALUE' })
    }
  }

  function fail(id: number, error: unknown): void {
    delete underWay[id]
    done(id, 'thrown', read(error))
  }

  /** Runs code of the program; the operation ends with what it gives, or with what that comes to. */
  function operate(id: number, act: () => unknown): void {
    task.operation = id
    underWay[id] = true
    try {
      const result = act()
      if (result === missing) return
      if (
        ((typeof result === 'object' && result !== null) || typeof result === 'function') &&
        typeof (result as PromiseLike<unknown>).then === 'function'
      ) {
        void settleLater(id, result)
      } else {
        finish(id, result)
      }
    } catch (error) {
      fail(id, error)
    }
  }

  async function settleLater(id: number, value: unknown): Promise<void> {
    try {
      finish(id, await value)
    } catch (error) {
      fail(id, error)
    }
  }

  function define(target: object, key: string, value: unknown, enumerable = false): void {
    defineProperty(target, key, { __proto__: null, value, enumerable, writable: true, configurable: true } as PropertyDescriptor)
  }

  function exitCode(code: unknown): number {
    const number = typeof code === 'string' && apply(trim, code, []) !== '' ? toNumber(code) : code
    if (typeof number === 'number' && isInteger(number)) return number & 0xff
    throw host.makeError({
      name: 'TypeError',
      message: `The exit code must be an integer, not ${toText(code)}`,
      code: 'ERR_INVALID_ARG_TYPE',
    })
  }

  function makeProcess({ env, path }: PreludeOptions): object {
    const process = {
      ...(env === 'nodejs' && parts.processMembers(path, write)),
      exitCode: undefined as unknown,
      // The outside ends this isolate before it answers, so that nothing of the program runs after this line.
      exit: (code?: unknown) => exit(exitCode(code ?? process.exitCode ?? 0)),
    }
    return process
  }

  function setUp(options: PreludeOptions): void {
    define(realm, 'global', realm)
    define(realm, 'console', guestConsole.console)
    define(realm, 'process', makeProcess(options))
    const timerFunctions: Record<string, Function> = options.env === 'nodejs' ? parts.nodeTimers(timerGlobals) : timerGlobals
    for (const name of keys(timerFunctions)) define(realm, name, timerFunctions[name], true)
    define(
      realm,
      'queueMicrotask',
      function queueMicrotask(callback: unknown) {
        if (typeof callback !== 'function') throw new TypeError('The callback must be a function')
        void apply(then, resolved, [() => (callback as () => void)()])
      },
      true,
    )
    define(
      realm,
      'structuredClone',
      function structuredClone(value: unknown) {
        return clone(value)
      },
      true,
    )
    parts.webGlobals(realm, options.env, requireFrom)
    shared.take(realm)
    for (const [name, shape] of options.globals.children) {
      if (name === 'console' && shape.kind === 'value' && shape.value === undefined) continue
      if (name === 'console' && shape.kind === 'object') host.extend(guestConsole.console, shape, name, true)
      else define(realm, name, host.make(shape, name, false), true)
    }
  }

  const inside: Inside = {
    lend(id, path) {
      task.operation = id
      if (id !== 0) underWay[id] = true
      const loaded = (exports: () => unknown) => {
        exportsOf = exports
        finish(id, describe(exports()))
      }
      define(realm, 'confine:host', {
        require: (specifier: string) => requireFrom(specifier, '/'),
        loaded: (namespace: unknown) => loaded(() => namespace),
        importer,
        imported,
        run(wrapper: Function) {
          delete realm['confine:host']
          try {
            const module = runMain(wrapper, path)
            loaded(() => module.exports)
          } catch (error) {
            fail(id, error)
          }
        },
      })
    },
    names(id, specifier) {
      task.operation = id
      underWay[id] = true
      try {
        finish(id, keys(requireFrom(specifier, '/') as object))
      } catch (error) {
        fail(id, error)
      }
    },
    call(id, name, params) {
      operate(id, () => {
        const method = find(exportsOf(), name)
        if (method !== undefined) return apply(method.call, method.owner, references.unpack(params) as unknown[])
        delete underWay[id]
        done(id, 'missing', undefined)
        return missing
      })
    },
    invoke(id, callback, params) {
      operate(id, () => apply(references.call(callback), undefined, references.unpack(params) as unknown[]))
    },
    pull(id, stream, how) {
      operate(id, () => references.pull(stream, how))
    },
    forget: references.takeBack,
    settle(callId, answer) {
      host.settle(callId, hasOwn(answer, 'value') ? { value: references.unpack((answer as { value: unknown }).value) } : answer)
    },
    tick,
    importing,
    imported,
    importFailed,
    capture: guestConsole.capture,
    probe(id, message) {
      if (underWay[id] === undefined) done(id, 'uncopyable', message)
    },
  }
  return (packed) => {
    setUp(unpackOptions(packed))
    return (name, ...args) => apply(inside[name], inside, args)
  }
}
