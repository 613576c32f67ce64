// The part of WebAssembly that this package uses. Node has it all, and @types/node leaves it to the types of browsers.
declare namespace WebAssembly {
  type Kind = 'function' | 'table' | 'memory' | 'global' | 'tag'
  class Module {
    constructor(bytes: Uint8Array)
    static imports(module: Module): { module: string; name: string; kind: Kind }[]
    static exports(module: Module): { name: string; kind: Kind }[]
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
  }
  class Exception {}
  class Suspending {
    constructor(call: (...args: unknown[]) => Promise<unknown>)
  }
  function promising(call: unknown): (...args: unknown[]) => Promise<unknown>
}
