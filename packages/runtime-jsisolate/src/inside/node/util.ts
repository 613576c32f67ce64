import type { formatter } from '../format.ts'

/** The part of Node's `util` that needs nothing of the system. Runs inside the isolate: uses nothing but the language. */
export function utilModule({ format, inspect }: ReturnType<typeof formatter>) {
  const custom = Symbol.for('nodejs.util.promisify.custom')
  type Fn = ((...args: any[]) => any) & { [custom]?: Fn }

  function promisify(original: Fn): Fn {
    if (typeof original !== 'function')
      throw Object.assign(new TypeError('The "original" argument must be of type function'), { code: 'ERR_INVALID_ARG_TYPE' })
    return (
      original[custom] ??
      function (this: unknown, ...args: unknown[]) {
        return new Promise((resolve, reject) => {
          Reflect.apply(original, this, [...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value))])
        })
      }
    )
  }

  function callbackify(original: Fn): Fn {
    return function (this: unknown, ...args: unknown[]) {
      const callback = args.pop() as Fn
      Reflect.apply(original, this, args).then(
        (value: unknown) => queueMicrotask(() => callback(null, value)),
        (error: unknown) => queueMicrotask(() => callback(error ?? new Error('The promise was rejected without a reason'))),
      )
    }
  }

  function inherits(derived: Fn, base: Fn): void {
    Object.defineProperty(derived, 'super_', { value: base, writable: true, configurable: true })
    Object.setPrototypeOf(derived.prototype, base.prototype)
  }

  const tag = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1)
  const types = {
    isDate: (value: unknown) => tag(value) === 'Date',
    isRegExp: (value: unknown) => tag(value) === 'RegExp',
    isMap: (value: unknown) => tag(value) === 'Map',
    isSet: (value: unknown) => tag(value) === 'Set',
    isPromise: (value: unknown) => tag(value) === 'Promise',
    isNativeError: (value: unknown) => tag(value) === 'Error',
    isTypedArray: (value: unknown) => ArrayBuffer.isView(value) && tag(value) !== 'DataView',
    isUint8Array: (value: unknown) => tag(value) === 'Uint8Array',
    isArrayBuffer: (value: unknown) => tag(value) === 'ArrayBuffer',
    isAnyArrayBuffer: (value: unknown) => tag(value) === 'ArrayBuffer' || tag(value) === 'SharedArrayBuffer',
    isAsyncFunction: (value: unknown) => tag(value) === 'AsyncFunction',
    isGeneratorFunction: (value: unknown) => tag(value) === 'GeneratorFunction',
  }

  return {
    format: (...args: unknown[]) => format(args),
    inspect: Object.assign((value: unknown) => inspect(value), { custom: Symbol.for('nodejs.util.inspect.custom'), defaultOptions: {} }),
    promisify: Object.assign(promisify, { custom }),
    callbackify,
    inherits,
    deprecate: (original: Fn) => original,
    debuglog: () => Object.assign(() => {}, { enabled: false }),
    isArray: Array.isArray,
    types,
  }
}
