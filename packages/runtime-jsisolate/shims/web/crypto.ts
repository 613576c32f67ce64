import { system } from 'confine:system'
import { DOMException } from './dom-exception.ts'

const isInteger = /^(?:Big)?(?:Int|Uint)(?:8|8Clamped|16|32|64)Array$/

/** The web's crypto: random bytes and ids, of the process outside. */
export const crypto = {
  getRandomValues<View extends ArrayBufferView>(view: View): View {
    const name: unknown = Reflect.get(view ?? {}, Symbol.toStringTag)
    if (!ArrayBuffer.isView(view) || typeof name !== 'string' || !isInteger.test(name)) {
      throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError')
    }
    if (view.byteLength > 65_536) {
      throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError')
    }
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(system('random', view.byteLength))
    return view
  },
  randomUUID(): string {
    return system('uuid')
  },
}
Object.defineProperty(crypto, Symbol.toStringTag, { value: 'Crypto' })

const start = Date.now()
let last = 0

/** The web's performance: whole milliseconds, so that it measures no caches, and never backwards. */
export const performance = {
  timeOrigin: start,
  now(): number {
    last = Math.max(last, Date.now() - start)
    return last
  },
  toJSON: () => ({ timeOrigin: start }),
}
Object.defineProperty(performance, Symbol.toStringTag, { value: 'Performance' })
