import { ConfineError } from '@confine-sandbox/contract'
import type ivm from 'isolated-vm'
import { addon } from './own-files.ts'
import { Entrance, Places } from './entrance.ts'
import type { HostAnswer, HostError } from './inside/host-calls.ts'
import { type Packed, packer } from './inside/pack.ts'
import type { Enter, Inside, PreludeOptions } from './inside/prelude.ts'
import { isShared } from './is-shared.ts'
import { LinkedModules, type ModuleSource } from './linked-modules.ts'
import type { NewIsolate } from './new-isolates.ts'
import type { IsolateOwner } from './outside.ts'
import { withoutWrapper, withoutWrapperLater } from './without-wrapper.ts'

/**
 * One isolate with one context. Every entry into it is asynchronous, on a thread of isolated-vm's pool, so that a program that
 * never returns stalls nobody else; where there is nobody else, it is entered on the thread of the process.
 */
export class GuestIsolate {
  readonly #isolate: ivm.Isolate
  readonly #context: ivm.Context
  readonly #enter: ivm.Reference<Enter>
  readonly #owner: IsolateOwner
  readonly #entrance: Entrance
  readonly #linked: LinkedModules
  readonly #whenExiting: WeakRef<GuestIsolate>

  /**
   * Only code of this package runs in here, so it runs at once, on this thread.
   * @param made an isolate that is this one's from now on.
   * @param isAlone whether the process is there for this isolate only.
   */
  constructor({ isolate, context, outside, begin }: NewIsolate, options: PreludeOptions, owner: IsolateOwner, isAlone: boolean) {
    this.#isolate = isolate
    this.#context = context
    this.#owner = owner
    this.#entrance = new Entrance(places, isAlone ? async () => await isolate.getHeapStatistics() : undefined)
    this.#whenExiting = atExit(this)
    try {
      const copy = copyOptions(options)
      outside.owner = owner
      this.#enter = begin.applySync(undefined, [copy.copyInto({ release: true })], { result: { reference: true } }) as ivm.Reference<Enter>
      this.#linked = new LinkedModules(this.#isolate, this.#context, {
        path: options.path,
        resolve: (specifier, from) => owner.resolve(specifier, from),
        lend: (operationId) => this.#run('lend', undefined, [operationId, options.path]),
        importing: (importId) => this.#run('importing', undefined, [importId]),
      })
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /**
   * Compiles and runs a CommonJS program as an operation; `failed` is given what isolated-vm says of text that cannot be
   * compiled.
   */
  runCommonJs(operationId: number, program: ModuleSource, failed: (error: unknown) => void): void {
    const { path, text, importName } = program
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname', ...(importName === undefined ? [] : [importName])]
    const head = `globalThis['confine:host'].run(function (${parameters.join(', ')}) {`
    const body = text.startsWith('#!') ? `//${text.slice(2)}` : text
    const lines = `${head}${body}\n})`
    const origin = { filename: path, columnOffset: -head.length }
    if (lines.length <= maxCompiledHere) {
      try {
        this.#runScript(operationId, path, this.#isolate.compileScriptSync(lines, origin))
      } catch (error) {
        if (!this.#hasEnded(error)) failed(withoutWrapper(error, () => this.#isolate.compileScriptSync(body, { filename: path })))
      }
      return
    }
    this.#entrance.enterLater(
      async () => this.#runScript(operationId, path, await this.#compileLater(lines, origin, body)),
      (error) => this.#hasEnded(error) || failed(error),
    )
  }

  async #compileLater(lines: string, origin: ivm.ScriptOrigin, body: string): Promise<ivm.Script> {
    try {
      return await this.#isolate.compileScript(lines, origin)
    } catch (error) {
      throw await withoutWrapperLater(error, () => this.#isolate.compileScript(body, { filename: origin.filename! }))
    }
  }

  #runScript(operationId: number, path: string, script: ivm.Script): void {
    this.#run('lend', undefined, [operationId, path])
    this.#entrance.enter(
      () => script.run(this.#context, { release: true }),
      () => script.runSync(this.#context, { release: true }),
      (error) => this.#taskFailed(error, operationId),
    )
  }

  /**
   * Links and runs an ES module with what it imports, as an operation that ends when its top level is through; `failed`
   * is given what isolated-vm says of text that cannot be compiled or linked, and what the program throws.
   */
  runModule(operationId: number, program: ModuleSource, failed: (error: unknown) => void): void {
    this.#entrance.enterLater(
      () => this.#linked.run(operationId, program),
      (error) => this.#hasEnded(error) || failed(error),
    )
  }

  /** Loads a module while the program runs, and hands it to the program's `import()`. @param ran is told when it ran up to its first `await`. */
  importModule(importId: number, specifier: string, from: string, ran: () => void): void {
    const work = async () => {
      const path = await this.#linked.import(importId, specifier, from)
      if (path !== undefined) this.#run('imported', undefined, [importId, path])
      ran()
    }
    this.#entrance.enterLater(work, (error) => this.#hasEnded(error) || this.failImport(importId, this.#owner.describe(error)))
  }

  /** Rejects an `import()` of the program. */
  failImport(importId: number, facts: HostError): void {
    this.#owner.importModule(importId, undefined, undefined)
    this.#run('importFailed', undefined, [importId, copyIn(facts)])
  }

  /** Names what a CommonJS module exports, as an operation. */
  names(operationId: number, specifier: string): void {
    this.#run('names', operationId, [operationId, specifier])
  }

  /** Calls an exported function as an operation. @throws when the parameters cannot be copied. */
  call(operationId: number, name: string, params: Packed): void {
    this.#run('call', operationId, [operationId, name, copyIn(params)])
  }

  /** Calls a function that the program gave away, as an operation. @throws when the parameters cannot be copied. */
  invoke(operationId: number, id: number, params: Packed): void {
    this.#run('invoke', operationId, [operationId, id, copyIn(params)])
  }

  /** Takes from a stream that the program gave away, as an operation. */
  pull(operationId: number, id: number, how: 'next' | 'return'): void {
    this.#run('pull', operationId, [operationId, id, how])
  }

  /** A function of the program is held no more. */
  forget(id: number): void {
    this.#run('forget', undefined, [id])
  }

  /** Answers a call of the program. @throws when the value cannot be copied. */
  settle(callId: number, answer: HostAnswer): void {
    this.#run('settle', undefined, [callId, copyIn(answer)])
  }

  tick(): void {
    this.#run('tick', undefined, [])
  }

  /** Begins or ends to tell what the program logs. */
  capture(isOn: boolean): void {
    this.#run('capture', undefined, [isOn])
  }

  /** CPU time, and the memory of the heap unless something runs: V8 counts it only between two steps. */
  async usage(): Promise<{ cpuMs: number; heapMiB?: number }> {
    const cpuMs = Number(this.#isolate.cpuTime / 1000n) / 1000
    if (this.#entrance.count > 0) return { cpuMs }
    const { used_heap_size, externally_allocated_size } = await new Promise<ivm.HeapStatistics>((resolve, reject) => {
      this.#entrance.enterLater(async () => resolve(await this.#isolate.getHeapStatistics()), reject)
    })
    return { cpuMs, heapMiB: (used_heap_size + externally_allocated_size) / 2 ** 20 }
  }

  /** Frees the isolate, and stops what runs in it. Can be called from within a call of the owner. */
  dispose(): void {
    if (!this.#isolate.isDisposed) this.#isolate.dispose()
    open.delete(this.#whenExiting)
    this.#entrance.close()
  }

  /** Whether something has entered and not come back. */
  get isRunning(): boolean {
    return this.#entrance.count > 0
  }

  /** Settles when nothing of a disposed isolate runs any more. V8 stops JavaScript at once, but not a long step of its own. */
  async stopped(): Promise<void> {
    await this.#entrance.empty()
  }

  #run(name: keyof Inside, operationId: number | undefined, args: unknown[]): void {
    this.#entrance.enter(
      () => this.#enter.apply(undefined, [name, ...args] as never),
      () => this.#enter.applySync(undefined, [name, ...args] as never),
      (error) => this.#taskFailed(error, operationId),
    )
  }

  /** A task of isolated-vm fails for any rejection that is unhandled at its end, whatever its own operation did. */
  #taskFailed(error: unknown, operationId: number | undefined): void {
    if (this.#hasEnded(error)) return
    this.#owner.failed(error)
    if (operationId !== undefined) this.#run('probe', undefined, [operationId, String(error)])
  }

  /** Whether it is the end of the isolate that an error tells of; the owner is told. */
  #hasEnded(error: unknown): boolean {
    if (!this.#isolate.isDisposed) return false
    this.#owner.ended(/memory limit/.test(String(error)) ? 'memory' : 'disposed')
    return true
  }
}

// Of the process: half of the 64 threads that a guest has, so that Node's own and isolated-vm's idle ones fit beside them.
const places = new Places(32)

// Of the process: it would wait at its end for what loops in an isolate.
const open = new Set<WeakRef<GuestIsolate>>()

function atExit(guest: GuestIsolate): WeakRef<GuestIsolate> {
  if (open.size === 0 && !process.listeners('exit').includes(disposeAll)) process.on('exit', disposeAll)
  const reference = new WeakRef(guest)
  open.add(reference)
  return reference
}

function disposeAll(): void {
  let isRunning = false
  for (const reference of open) {
    const guest = reference.deref()
    isRunning ||= guest?.isRunning === true
    guest?.dispose()
  }
  // A thread that leaves its isolate looks for the process once more.
  if (isRunning) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, leavingMs)
}

const leavingMs = 250

// What a short text costs this thread is less than to wake another one. Longer ones are compiled there: they are the program's.
const maxCompiledHere = 32_768

function copyOptions(options: PreludeOptions): ivm.ExternalCopy<Packed> {
  const refuse = () => {
    throw new TypeError('only a function that is a global by its own name can be called')
  }
  try {
    return new addon.ExternalCopy(packer({ give: refuse, takeBack() {}, isRefused: () => true, isShared }, false).pack(options, 'globals'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals holds a value that cannot be copied: ${reason}`, { cause })
  }
}

/** Copies a value for the isolate. */
function copyIn(value: unknown): unknown {
  return new addon.ExternalCopy(value).copyInto({ release: true })
}
