import { types } from 'node:util'
import vm from 'node:vm'
import { builtin } from './builtin.ts'
import { realmPrelude, type Outside, type RealmTools } from './realm-prelude.ts'

/** A vm context with Node's globals: where one program runs. */
export interface Realm {
  readonly global: Record<string, unknown>
  readonly tools: RealmTools
}

/** Makes a realm, without what belongs to one program: process, console and timers. */
export function createRealm(): Realm {
  // An ordinary global object: the usual contextified one passes every access to a global through an interceptor.
  const global = vm.createContext(vm.constants.DONT_CONTEXTIFY, { importModuleDynamically: importBuiltin as never }) as Record<
    string,
    unknown
  >
  const tools = vm.runInContext(`(${realmPrelude.toString()})`, global, { filename: 'confine:realm' })(outside) as RealmTools
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!Object.hasOwn(global, name)) Object.defineProperty(global, name, shared(name))
  }
  Object.defineProperty(global, 'global', { value: global, writable: true, configurable: true })
  return { global, tools }
}

/** Compiles a CommonJS program into a function of module, exports, require, __filename and __dirname. */
export function compile(
  realm: Realm,
  text: string,
  path: string,
  importModule: (specifier: string) => Promise<vm.Module>,
): (...args: unknown[]) => unknown {
  return vm.compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'], {
    parsingContext: realm.global,
    filename: path,
    importModuleDynamically: importModule as never,
  }) as (...args: unknown[]) => unknown
}

const outside: Outside = {
  intrinsics: globalThis,
  // Node's own modules take and make these: a Buffer is a Uint8Array of the process's realm.
  shared: [
    'ArrayBuffer',
    'SharedArrayBuffer',
    'DataView',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
    'WebAssembly',
  ].filter((name) => Object.hasOwn(globalThis, name)),
  // For these the language itself has literals and operators, which make them in the program's realm.
  bridged: [
    'Object',
    'Array',
    'Function',
    'Promise',
    'RegExp',
    'Date',
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
  ],
  isError: types.isNativeError,
}

/**
 * Some of Node's globals load large modules when they are first read, even by their descriptor, so each is read when the
 * program reads it.
 */
function shared(name: string): PropertyDescriptor {
  const enumerable = Object.prototype.propertyIsEnumerable.call(globalThis, name)
  const become = (target: object, value: unknown) => {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable })
    return value
  }
  return {
    enumerable,
    configurable: true,
    get() {
      return become(this, Reflect.get(globalThis, name))
    },
    set(value) {
      become(this, value)
    },
  }
}

async function importBuiltin(id: string): Promise<unknown> {
  builtin(id)
  const url = id.startsWith('node:') ? id : `node:${id}`
  return import(url)
}
