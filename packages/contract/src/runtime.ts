import type { ModuleGraph } from './module-graph.ts'

/**
 * What the host must know of a runtime before it launches a guest for it. Data only: the runtime's code is loaded in the
 * guest and nowhere else.
 */
export interface RuntimeDescriptor {
  /** Its name for messages: the package name or the path that was asked for. */
  readonly name: string
  /** Absolute path, free of symbolic links, of the module whose main export is the runtime class. */
  readonly entry: string
  /** Directories that loading the entry reads: the package and the packages it depends on. Absolute, free of symbolic links. */
  readonly directories: readonly string[]
  /** Symbolic links by which those packages find each other. */
  readonly links: readonly { readonly path: string; readonly target: string }[]
  /** Flags for the guest's node. @default [] */
  readonly nodeFlags: readonly string[]
  /** How many containers one guest process takes. @default 1 */
  readonly maxContainers: number
  /** Whether the runtime starts threads after it was loaded. @default false */
  readonly threads: boolean
  /**
   * With fewer threads, and as many more as the machine has processors, its process is aborted when it holds several containers.
   * A lower `limits.threads` is refused, and the default is no lower. @default what Node needs
   */
  readonly leastThreads?: number
  /** Whether `close()` stops a container for sure, whatever its program is doing. If not, the process ends for it. @default false */
  readonly stopsContainers?: boolean
  /**
   * By how much a container with a small program makes the process larger, MiB: one that may not fit into the memory that is left is
   * refused by the host. @default nothing is refused
   */
  readonly containerMiB?: number
  /** What the host gathers for its programs before they are sent. @default no modules: a program is one source */
  readonly modules?: GatheredModules
  /** Absolute path of a module that is loaded after the entry and before the lock, to touch what must be touched early. */
  readonly warmUp?: string
  /**
   * Absolute path of one CommonJS file that holds the whole runtime and asks for nothing but Node's own modules. The guest loads
   * it in place of the entry, and can read nothing else of the directories but what the next two name.
   */
  readonly bundle?: string
  /** Absolute paths of further files that the bundle reads while the guest boots. @default none */
  readonly bundleFiles?: readonly string[]
  /** Absolute paths of native addons, by the names that the bundle asks `require()` for them by. @default none */
  readonly bundleAddons?: Readonly<Record<string, string>>
}

/**
 * The `confine` field of a runtime's package.json: the part of its descriptor that only its author knows. Every member is
 * optional.
 */
export interface RuntimeManifest {
  readonly nodeFlags?: readonly string[]
  readonly maxContainers?: number
  readonly threads?: boolean
  readonly leastThreads?: number
  readonly stopsContainers?: boolean
  readonly containerMiB?: number
  /** Ask the host for the modules of each program, as the option `graph`. */
  readonly modules?: GatheredModules
  /** Path of the warm-up module, relative to the package. */
  readonly warmUp?: string
  /**
   * Path of the runtime as one CommonJS file, relative to the package, for guests that are launched with the package's `main`:
   * to find and read many files takes longer. Not together with `warmUp` and `directories`.
   */
  readonly bundle?: string
  /** Further files that the bundle reads while the guest boots, relative to the package. */
  readonly bundleFiles?: readonly string[]
  /**
   * Native addons of the bundle, by the names that it asks `require()` for them by. Each is a file, as `require()` of the package would find
   * it: './build/it.node', or one in a package that it depends on. `{platform}`, `{arch}`, `{abi}` and `{libc}` ('glibc' or 'musl') stand for
   * what the guest's node is. Where one of them is not there, guests load the package's `main` as if there were no bundle.
   */
  readonly bundleAddons?: Readonly<Record<string, string>>
  /** Further directories to make readable while the guest boots, relative to the package. */
  readonly directories?: readonly string[]
}

/** How a runtime wants the modules of its programs. */
export interface GatheredModules {
  /** 'graph': a ModuleGraph, one text per file. */
  readonly form: 'graph'
  /** Conditions by which a package's `exports` are chosen, beside 'import' or 'require', and 'default'. @default ['node'] */
  readonly conditions?: readonly string[]
}

/** The manifest of a package that has none: one container per process, no threads, no flags. */
export const defaultRuntimeManifest: Required<
  Pick<RuntimeManifest, 'nodeFlags' | 'maxContainers' | 'threads' | 'stopsContainers' | 'directories'>
> = Object.freeze({
  nodeFlags: Object.freeze([]),
  maxContainers: 1,
  threads: false,
  stopsContainers: false,
  directories: Object.freeze([]),
})

/** The names and shapes that a runtime lets others call. As npm abstract-confine-runtime describes it. */
export interface ApiDescription {
  readonly type: 'api'
  readonly children: readonly ApiChild[]
}

/** A function, or an object that holds functions. */
export type ApiChild =
  | { readonly type: 'method'; readonly name: string }
  | { readonly type: 'object'; readonly name: string; readonly children: readonly ApiChild[] }

/** Options that every runtime class is constructed with. A runtime may take more. */
export interface RuntimeOptions {
  /** The untrusted program. */
  source?: string | Uint8Array
  /** The program with its modules, for a runtime that asks for it; `source` is the text of its entry. */
  graph?: ModuleGraph
  /** What the program may call, nested as it was given to the sandbox; each function returns a promise. */
  globals?: Record<string, unknown>
  [option: string]: unknown
}

/** What a container used, as its runtime counts it. */
export interface RuntimeUsage {
  /** CPU time, milliseconds. */
  readonly cpuMs?: number
  /** Memory of its heap, MiB. */
  readonly heapMiB?: number
}

/** An object of a runtime class, one per container. Follows npm abstract-confine-runtime 0.4. */
export interface Runtime {
  init(): Promise<void>
  run(): Promise<void>
  close(): Promise<void> | void
  configure(opts: unknown): Promise<void> | void
  describeAPI(): ApiDescription
  handleAPICall(methodName: string, params: unknown[]): Promise<unknown>
  /** What its program has used so far. Beyond abstract-confine-runtime, like the events `runtime-error` and `console`. */
  usage?(): Promise<RuntimeUsage> | RuntimeUsage
  /** Calls a function that the program gave to the host. A runtime that has no such method has its functions called as they are. */
  invoke?(callback: Function, params: unknown[]): Promise<unknown>
  on(event: 'closed', listener: (exitCode?: number) => void): unknown
}

/** What a runtime may know of the process that it is loaded in. */
export interface GuestFacts {
  /** How many containers the process takes at once. The host ends a process of one container with it. */
  readonly maxContainers: number
  /**
   * What `learned()` of an earlier process of this runtime gave, in the same version and on the same node; absent in the first ones. To be left as
   * it is: `prepare()` may be called again, with the same bytes.
   */
  readonly learned?: Uint8Array
}

/** A runtime class. A static `prepare()` runs before the guest is locked; the constructor and everything else run after. */
export interface RuntimeClass {
  new (opts: RuntimeOptions): Runtime
  /**
   * Does all that a locked process cannot. A class that has it may be rehearsed: some processes run a program of ours through before the lock, so
   * that the code for it is compiled, and call this again behind each run. A class without it is never rehearsed.
   */
  prepare?(guest: GuestFacts): Promise<void> | void
  /**
   * Makes ahead what the first container will need. It runs locked, while the guest waits for its first program; a guest that
   * need not wait does without.
   */
  makeAhead?(): void
  /**
   * What this process learned that would spare another one work, such as V8's code of the runtime's own texts; later processes are given it in
   * `prepare()`. It is asked for before the lock, in a process that ran a program of ours and nothing untrusted, and once in a long while.
   */
  learned?(): Uint8Array | undefined
}
