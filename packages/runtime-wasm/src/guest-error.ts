/// <reference path="./webassembly.d.ts" />

/** Makes an Error of what came out of a module: a trap, an exception of its own, or the error of a host function. */
export function guestError(thrown: unknown): Error {
  if (thrown instanceof WebAssembly.Exception) return shaped(new Error('The program threw an exception of its own'), 'Error', undefined)
  if (!(thrown instanceof Error)) return shaped(new Error(`The program threw ${String(thrown)}`), 'Error', undefined)
  const { name, message, stack, code } = thrown as Error & { code?: unknown }
  const error = shaped(new Error(String(message)), String(name), stack)
  return typeof code === 'string' || typeof code === 'number' ? Object.assign(error, { code }) : error
}

/** Of the stack, the module's own functions: `at addOne (wasm://wasm/8a1f…:wasm-function[0]:0x1f)`. */
function shaped(error: Error, name: string, stack: string | undefined): Error {
  const frames = (stack ?? '').split('\n').filter((line) => /^ +at .*wasm:\/\//.test(line))
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  Object.defineProperty(error, 'stack', { value: [`${name}: ${error.message}`, ...frames].join('\n'), configurable: true, writable: true })
  return error
}
