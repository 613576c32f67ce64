/**
 * Knows memory that two isolates could share: it would change while the other side reads it. Runs inside the isolate: uses
 * nothing but the language, which tells such memory from other objects by throwing, two microseconds for each object of a
 * value. So it asks only programs that can have some: without `SharedArrayBuffer` it is WebAssembly that makes it.
 */
export function sharedMemory() {
  const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect
  const { isView } = ArrayBuffer
  const bufferOfArray = getter(getPrototypeOf(Uint8Array.prototype) as object, 'buffer')
  const bufferOfDataView = getter(DataView.prototype, 'buffer')
  const length = typeof SharedArrayBuffer === 'function' ? getter(SharedArrayBuffer.prototype, 'byteLength') : undefined
  let canBe = false

  /** Takes `SharedArrayBuffer` from a realm, and notices when something there asks for WebAssembly. Before a program runs. */
  function take(realm: object): void {
    deleteProperty(realm, 'SharedArrayBuffer')
    const found = getOwnPropertyDescriptor(realm, 'WebAssembly')
    if (found === undefined) return
    const define = (value: unknown) =>
      defineProperty(realm, 'WebAssembly', {
        __proto__: null,
        value,
        writable: true,
        enumerable: false,
        configurable: true,
      } as PropertyDescriptor)
    defineProperty(realm, 'WebAssembly', {
      __proto__: null,
      get() {
        canBe = true
        define(found.value)
        return found.value as unknown
      },
      set: define,
      enumerable: false,
      configurable: true,
    } as PropertyDescriptor)
  }

  function isShared(value: object): boolean {
    if (!canBe) return false
    const buffer = !isView(value) ? value : attempt(bufferOfArray, value) || attempt(bufferOfDataView, value)
    return typeof buffer === 'object' && buffer !== null && attempt(length, buffer) !== undefined
  }

  function attempt(read: (() => unknown) | undefined, object: object): unknown {
    try {
      return read === undefined ? undefined : apply(read, object, [])
    } catch {
      return undefined
    }
  }

  function getter(prototype: object, name: string): (() => unknown) | undefined {
    return getOwnPropertyDescriptor(prototype, name)?.get
  }

  return { isShared, take }
}
