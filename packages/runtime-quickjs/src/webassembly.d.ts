// The part of WebAssembly that this package uses. Node has it all, and @types/node leaves it to the types of browsers.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    readonly buffer: ArrayBuffer
    constructor(limits: { initial: number; maximum: number })
  }
}
