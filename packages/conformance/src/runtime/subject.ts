import type { RuntimeClass, RuntimeDescriptor, RuntimeOptions } from '@confine-sandbox/contract'
import type { SandboxUnderTest } from '../sandbox-under-test.ts'

/** A program for the runtime under test: its source, or its options where the source alone does not say enough. */
export type Program = string | Uint8Array | RuntimeOptions

/**
 * What the suite runs: one small program per thing that it looks at, in the language of the runtime. What is left out is
 * not tested; `javascriptPrograms()` has them all.
 *
 * The host gives every program these functions: `host.addTwo(n)`, `host.wait()`, whose promise never settles,
 * `host.fail()`, which throws a RangeError with the code `E_HOST`, and `host.loaded()`.
 */
export interface RuntimePrograms {
  /** Exports `addOne(n)`: n + 1. */
  readonly addOne: Program
  /** Exports `next()`: how often it was called, 1 with the first call. */
  readonly counter: Program
  /** Exports `fail()`, which throws, or ends in whatever an error is in this language. The program goes on. */
  readonly fail: Program
  /** Programs that cannot be loaded. */
  readonly broken: readonly Program[]
  /** Exports `loop()`, which never returns and never waits. Called in a sandbox, or where `limits.time` ends it. */
  readonly loop?: Program
  /** Exports `grow()`, which takes memory for as long as there is some. Called in a sandbox, or where `limits.memory` ends it. */
  readonly grow?: Program
  /** Exports `viaHost(n)`: what the host's `host.addTwo(n)` gave. */
  readonly viaHost?: Program
  /** Programs that export `wait()`, which never returns and takes no time: for instance what `host.wait()` gives. */
  readonly wait?: readonly Program[]
  /** Exports `failVia()`: calls `host.fail()` and lets its error through. */
  readonly failVia?: Program
  /** Calls `host.loaded()` once while it loads, and waits for it where the language can. */
  readonly loaded?: Program
  /** Exports `counter.next()`: how often it was called, by what the object `counter` holds itself. */
  readonly nested?: Program
  /** Exports `echo(value)`: the value. */
  readonly echo?: { readonly program: Program; readonly values: readonly unknown[] }
  /** Exports `later(value)`, asynchronous: the value. */
  readonly later?: Program
  /** Exports `sleep(ms)`, asynchronous: the number, after so many milliseconds. By a timer of its own. */
  readonly sleep?: Program
  /**
   * Programs of several files, as options of `execContainer`: `{ files, entry }`. Each exports `get()`, asynchronous: the list 2, 3, 4,
   * of which each number stands in another file. Run in a sandbox, which gathers the files.
   */
  readonly modules?: readonly Program[]
  /** Programs that export `now()` and `later()`, which throw something odd at once and after a wait. */
  readonly thrown?: readonly Program[]
  /** Programs that throw something odd while they load. */
  readonly thrownAtLoad?: readonly Program[]
  /** Exports `exit(code)`, by which the program ends itself. */
  readonly exit?: Program
  /** Programs that end themselves while they load, with their exit codes. */
  readonly exitAtOnce?: readonly { readonly program: Program; readonly code: number }[]
}

/** A runtime and what the suite needs to try it. */
export interface RuntimeSubject {
  readonly programs: RuntimePrograms
  /** Options for every container. @default {} */
  readonly options?: RuntimeOptions
  /** Options that make the runtime end `loop()` and `grow()` by itself. Without them, only a sandbox is seen to end these. */
  readonly limits?: { readonly time?: RuntimeOptions; readonly memory?: RuntimeOptions }
  /** Names that the runtime must not find, on top of the suite's own. @default [] */
  readonly unknownNames?: readonly string[]
  /**
   * Makes a sandbox with this runtime: `(options) => new Sandbox({ runtime, ...options })`. Given, the suite also runs
   * the programs in a confined guest process.
   */
  readonly createSandbox?: (options: SandboxOptions) => SandboxUnderTest
  /** How long to wait for what comes at once when it comes at all, milliseconds. @default 20,000 */
  readonly patienceMs?: number
}

/** What the suite asks of a sandbox. */
export interface SandboxOptions {
  readonly globals: Record<string, unknown>
  readonly limits?: { readonly memoryMiB: number }
}

/** The runtime itself: its class, or a descriptor, whose entry is then loaded into this process. */
export type RuntimeUnderTest = RuntimeClass | RuntimeDescriptor
