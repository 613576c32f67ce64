import { writeSync } from 'node:fs'
import type ivm from 'isolated-vm'
import { addon } from './own-files.ts'
import { preludeSource } from './inside/index.ts'
import { type Begin, outsideNames } from './inside/prelude.ts'
import { Outside } from './outside.ts'

/** An isolate in which nothing but the prelude has run: with its context, what it can call, and the prelude's function for one program. */
export interface NewIsolate {
  readonly isolate: ivm.Isolate
  readonly context: ivm.Context
  readonly outside: Outside
  readonly begin: ivm.Reference<Begin>
}

/** Makes isolates, and at most one ahead of its use. */
export class NewIsolates {
  #spare: { readonly made: NewIsolate; readonly memoryLimitMiB: number } | undefined
  #code: ivm.ExternalCopy<ArrayBuffer> | undefined

  /** Gives the one that was made ahead, or makes one. */
  take(memoryLimitMiB: number): NewIsolate {
    const spare = this.#spare
    this.#spare = undefined
    if (spare?.memoryLimitMiB === memoryLimitMiB) return spare.made
    spare?.made.isolate.dispose()
    return this.make(memoryLimitMiB)
  }

  /** Makes one ahead, unless there is one. */
  prepare(memoryLimitMiB: number): void {
    this.#spare ??= { made: this.make(memoryLimitMiB), memoryLimitMiB }
  }

  /** Keeps what V8 has compiled of the prelude in an isolate that has run a program of our own, for those made from now on. */
  learn(isolate: ivm.Isolate): void {
    // The same text in the same isolate is the same script, with the functions that were compiled since.
    const script = isolate.compileScriptSync(preludeSource, { ...origin, produceCachedData: true })
    this.#code = (script as ivm.Script & ivm.CachedDataResult).cachedData
  }

  /** Whether those that are made find compiled what they run first. */
  get isTrained(): boolean {
    return this.#code !== undefined
  }

  /** What `learn` found, for another process. */
  get code(): Uint8Array {
    return new Uint8Array(this.#code!.copy())
  }

  /** Takes what another process found. V8 looks whether it fits. */
  know(code: Uint8Array): void {
    this.#code = new addon.ExternalCopy(code.slice().buffer)
  }

  /** Makes one. */
  make(memoryLimitMiB: number): NewIsolate {
    const isolate = new addon.Isolate({ memoryLimit: memoryLimitMiB, onCatastrophicError: abort })
    try {
      const context = isolate.createContextSync()
      const script = isolate.compileScriptSync(preludeSource, { ...origin, ...(this.#code !== undefined && { cachedData: this.#code }) })
      // What V8 does not take is of no use to others either.
      if ((script as { readonly cachedDataRejected?: boolean }).cachedDataRejected === true) this.#code = undefined
      const prelude = script.runSync(context, { reference: true, release: true }) as ivm.Reference
      const outside = new Outside()
      const callbacks = outside.callbacks()
      const handed = outsideNames.map((name) => callbacks[name])
      const begin = prelude.applySync(undefined, handed, { result: { reference: true } }) as ivm.Reference<Begin>
      prelude.release()
      return { isolate, context, outside, begin }
    } catch (error) {
      isolate.dispose()
      throw error
    }
  }
}

const origin = { filename: 'confine:isolate' }

/** V8 has lost control of an isolate, and with it of this process: isolated-vm asks to end it at once. */
function abort(message: string): void {
  writeSync(2, `isolated-vm: ${message}\n`)
  process.abort()
}
