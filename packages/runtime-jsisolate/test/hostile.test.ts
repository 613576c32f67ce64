import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

const globals = { host: (value: unknown) => value, fail: () => Promise.reject(new Error('no')), nested: { host: () => 1 } }

/** Walks everything that can be reached from some roots, inside the isolate. */
const walk = `
  const found = []
  const seen = new Set()
  const names = new Set(['Reference', 'Isolate', 'Context', 'ExternalCopy', 'Callback', 'Module', 'Script', 'Dereference', 'NativeModule', 'Copy', 'InspectorSession'])
  const look = (value, path) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
    seen.add(value)
    let name
    try { name = value.constructor?.name } catch {}
    if (!path.startsWith('globalThis.WebAssembly.') && (names.has(name) || names.has(value.name))) found.push(path + ': ' + name)
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key)
      for (const part of ['value', 'get', 'set']) look(descriptor[part], path + '.' + String(key))
    }
    look(Object.getPrototypeOf(value), path + '.__proto__')
  }`

describe('a program finds nothing of the outside', () => {
  test.each(['vanilla', 'nodejs'] as const)('on its global object (%s)', async (env) => {
    const { call } = await start(
      `${walk}
      exports.search = () => { look(globalThis, 'globalThis'); look(module, 'module'); look(require, 'require'); look(host(1), 'promise'); return [seen.size, found] }`,
      { globals, env },
    )
    const [count, found] = await call('search')
    expect(count).toBeGreaterThan(700)
    expect(found).toEqual([])
  })

  test('by the constructor of anything that it is given', async () => {
    const { call } = await start(
      `exports.search = (param) => {
        const values = [param, param.list, param.map, host, nested, nested.host, console.log, process, process.exit, setTimeout, require, module, structuredClone, host(1)]
        return values.map((value) => {
          try { return value.constructor.constructor('return typeof process.binding + typeof process.mainModule + typeof process.versions + typeof globalThis.Buffer')() } catch (error) { return 'undefinedundefinedundefinedundefined' }
        })
      }`,
      { globals },
    )
    for (const types of await call('search', { list: [1], map: new Map() })) expect(types).toBe('undefinedundefinedundefinedundefined')
  })

  test('in the errors that it is given', async () => {
    const { call } = await start(
      `const catches = []
       const note = (error) => catches.push({ stack: error.stack, keys: Reflect.ownKeys(error).map(String), proto: Object.getPrototypeOf(error) === globalThis[error.name]?.prototype || Object.getPrototypeOf(error) === Error.prototype })
       exports.run = async () => {
         await fail().catch(note)
         await host(Symbol()).catch(note)
         try { require('./x') } catch (error) { note(error) }
         try { structuredClone(() => {}) } catch (error) { note(error) }
         try { process.exit('x') } catch (error) { note(error) }
         try { setTimeout(1) } catch (error) { note(error) }
         return catches
       }`,
      { globals },
    )
    const catches = await call('run')
    expect(catches).toHaveLength(6)
    for (const { stack, proto } of catches) {
      expect(stack).not.toMatch(/node:|node_modules|packages|\.ts|file:/)
      expect(proto).toBe(true)
    }
  })

  test('in the frames of a stack', async () => {
    const { call } = await start(
      `const caught = []
       Error.prepareStackTrace = (error, sites) => {
         for (const site of sites) caught.push([site.getFunction?.(), site.getThis?.(), site.getEvalOrigin?.()])
         return 'stack'
       }
       const probe = () => { new Error().stack; return undefined }
       const trap = new Proxy({}, { get: probe, ownKeys: () => { probe(); return [] }, getPrototypeOf: () => { probe(); return null }, getOwnPropertyDescriptor: probe })
       Object.defineProperty(exports, 'getter', { enumerable: true, get: probe })
       exports.trap = trap
       exports.thrown = () => { throw trap }
       exports.thenable = () => ({ get then() { probe(); return (own) => { probe(); own(trap) } } })
       exports.argument = () => host({ get x() { probe(); return 1 } }).catch(probe)
       exports.log = () => console.log(trap, { get x() { probe() }, toString: probe, [Symbol.toPrimitive]: probe })
       exports.callers = function callers() { return [callers.caller, callers.arguments[0], arguments.callee.caller].map((x) => typeof x === 'function' ? String(x) : typeof x) }
       exports.timer = () => new Promise((own) => setTimeout(() => { probe(); own() }, 1))
       exports.restored = () => {
         Error.prepareStackTrace = () => 'one'
         const before = Error.prepareStackTrace
         Error.prepareStackTrace = () => 'two'
         const two = new Error().stack
         Error.prepareStackTrace = before
         const one = new Error().stack
         Error.prepareStackTrace = undefined
         return [two, one, new RangeError('x').stack.split('\\n')]
       }
       exports.frames = () => { Error.prepareStackTrace = (_, sites) => sites; const [site] = new Error().stack; return [site.getFileName(), site.getLineNumber(), typeof site.getFunctionName(), site.isAsync(), 'getFunction' in site] }
       exports.seen = () => caught.map(([fn, self]) => [typeof fn === 'function' ? String(fn).slice(0, 60) : typeof fn, self === undefined || self === null ? 'none' : self === globalThis ? 'global' : self === exports ? 'exports' : Object.keys(self).join()])`,
      { globals: { ...globals, console: { log: () => {} } } },
    )
    for (const name of ['getter', 'trap.x', 'thrown', 'thenable', 'argument', 'log', 'timer']) await call(name).catch(() => {})
    const seen = (await call('seen')) as [string, string][]
    expect(seen.length).toBeGreaterThan(5)
    expect(new Set(seen.map(([fn, self]) => fn + self))).toEqual(new Set(['undefinednone']))
    expect(await call('restored')).toEqual([
      'two',
      'one',
      ['RangeError: x', expect.stringMatching(/^ {4}at \S+ \(\/guest\/main\.js:\d+:\d+\)$/)],
    ])
    expect(await call('frames')).toEqual(['/guest/main.js', expect.any(Number), 'string', false, false])
    const prelude = /done|sendCall|underWay|operation|native/
    for (const text of await call('callers')) expect(text).not.toMatch(prelude)
  })
})

/** Replaces every function of the language by one that notes what it was called with. */
const tamper = `
  const noted = []
  const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect
  const roots = [Object, Function, Array, String, Number, Promise, Map, Set, WeakMap, Symbol, RegExp, Date, JSON, Reflect, Error, TypeError, Math, Proxy, ArrayBuffer, Uint8Array]
  const targets = roots.concat(roots.map((root) => root.prototype).filter(Boolean), [Object.getPrototypeOf([][Symbol.iterator]()), Object.getPrototypeOf(async function () {}), Object.getPrototypeOf(Uint8Array)])
  let isNoting = false
  for (const target of targets) {
    for (const key of ownKeys(target)) {
      const descriptor = getOwnPropertyDescriptor(target, key)
      if (!descriptor.configurable && !descriptor.writable) continue
      const original = descriptor.value
      if (typeof original !== 'function' || key === 'constructor') continue
      const wrapper = function (...args) {
        if (isNoting) { noted[noted.length] = this; for (let i = 0; i < args.length; i++) noted[noted.length] = args[i] }
        return new.target ? construct(original, args, new.target === wrapper ? original : new.target) : apply(original, this, args)
      }
      try { defineProperty(target, key, { value: wrapper, writable: true, configurable: true }) } catch {}
    }
  }`

describe('a program that changes the language', () => {
  test('sees nothing of the outside pass by, and its calls work all the same', async () => {
    const { call, errors } = await start(
      `${tamper}
       isNoting = true
       exports.echo = (x) => x
       exports.nested = { later: async (x) => { await null; return x } }
       exports.run = async () => [await host({ a: [1] }), await fail().catch((error) => error.message), await new Promise((done) => setTimeout(done, 1, 'timer'))]
       exports.log = () => console.log('%s', { a: 1 }, [1, 2], new Map([[1, 2]]))
       exports.thrown = () => { throw Object.assign(new Error('own', { cause: [1] }), { data: { x: 1 } }) }
       exports.names = () => { isNoting = false; return noted.filter((x) => typeof x === 'function').map((f) => f.name + ' ' + apply(Function.prototype.toString, f, []).slice(0, 30)) }`,
      { globals: { ...globals, console: { log: () => {} } } },
    )
    expect(await call('echo', { x: [1] })).toEqual({ x: [1] })
    expect(await call('nested.later', 2)).toBe(2)
    expect(await call('run')).toEqual([{ a: [1] }, 'no', 'timer'])
    await call('log')
    expect(await rejection(call('thrown'))).toMatchObject({ message: 'own', cause: [1], data: { x: 1 } })
    expect(await rejection(call('missing'))).toMatchObject({ code: -1 })
    const names = (await call('names')) as string[]
    for (const name of names) expect(name).not.toMatch(/^(done|call|arm|write|exit|load|clone|guarded|send)\b.*native/)
    expect(errors).toEqual([])
  })

  test.each([
    ['then on every object', "Object.defineProperty(Object.prototype, 'then', { get() { return undefined }, set() {} })"],
    ['a then that settles', "Object.defineProperty(Object.prototype, 'then', { value: undefined, writable: true })"],
    [
      'setters for numbers',
      'for (let i = 0; i < 20; i++) Object.defineProperty(Array.prototype, i, { set() {}, get() { return undefined }, configurable: true })',
    ],
    [
      'fields of descriptors',
      "for (const key of ['get', 'set', 'enumerable', 'value', 'writable']) Object.prototype[key] = undefined; delete Object.prototype.get; delete Object.prototype.set",
    ],
    ['no Promise', 'Promise.prototype.then = Promise.prototype.constructor = globalThis.Promise = undefined; Promise'],
    ['a throwing constructor', "Object.defineProperty(Promise.prototype, 'constructor', { get() { throw new Error('constructor') } })"],
    [
      'nothing global',
      "for (const key of Reflect.ownKeys(globalThis)) if (!['globalThis'].includes(key)) try { delete globalThis[key] } catch {}",
    ],
    [
      'a frozen world',
      'for (const key of Reflect.ownKeys(globalThis)) { const value = globalThis[key]; if (value && value.prototype) Object.freeze(value.prototype); if (typeof value === "function") Object.freeze(value) }',
    ],
    [
      'no Error',
      'Error.prototype.message = undefined; Error.captureStackTrace = undefined; Object.setPrototypeOf(Error.prototype, null); Error.stackTraceLimit = -1',
    ],
    ['a stack that is no text', 'Error.prepareStackTrace = () => ({ at: 1 })'],
    ['a stack that throws', "Error.prepareStackTrace = () => { throw new Error('stack') }"],
  ])('%s: calls end all the same', async (_, source) => {
    const { call, runtime } = await start(
      `const ask = host; const stay = exports; ${source}; stay.echo = (x) => x; stay.later = async (x) => x; stay.ask = (x) => ask(x); stay.thrown = () => { throw new TypeError('own') }; stay.obj = () => ({ a: 1 })`,
      { globals },
    )
    const ended = (promise: Promise<unknown>) =>
      Promise.race([
        promise.then(
          (value) => ({ value }),
          (error) => ({ error }),
        ),
        sleep(60_000, 'hangs'),
      ])
    expect(await ended(call('echo', 5))).toEqual({ value: 5 })
    for (const name of ['later', 'ask', 'thrown', 'obj', 'missing']) expect(await ended(call(name, 5)), name).not.toBe('hangs')
    const { error } = (await ended(call('thrown'))) as { error: Error }
    expect(error).toBeInstanceOf(Error)
    await runtime.close()
    const other = await start('exports.echo = (x) => x')
    expect(await other.call('echo', [5])).toEqual([5])
  })
})

describe('a flood', () => {
  test('of calls without an answer is bounded', async () => {
    const { call } = await start(
      'exports.flood = () => { const all = []; for (let i = 0; i < 12_000; i++) all.push(host().catch((error) => error.code)); return all.at(-1) }',
      { globals: { host: () => new Promise(() => {}) } },
    )
    expect(await call('flood')).toBe('ERR_CONFINE_LIMIT')
  })

  test('of output, timers and microtasks leaves the others alone', async () => {
    const floods = [
      "for (;;) console.log('x')",
      'for (;;) host()',
      'for (;;) setTimeout(() => {}, Math.random() * 10)',
      '(function again() { queueMicrotask(again) })()',
      'setInterval(() => {}, 0); (function again() { setTimeout(again) })()',
    ]
    const started = await Promise.all(
      floods.map((source) =>
        start(`exports.flood = () => { ${source} }`, { memoryLimitMiB: 32, globals: { host: () => 1, console: { log: () => {} } } }),
      ),
    )
    for (const { call } of started) call('flood').catch(() => {})
    const { call } = await start('exports.ok = () => 1')
    for (let index = 0; index < 20; index++) expect(await call('ok')).toBe(1)
    await Promise.all(started.map(({ runtime }) => runtime.close()))
  })
})

test.each([
  'exports = null; module.exports = null',
  'module.exports = undefined',
  'module.exports = 5',
  "module.exports = 'text'",
  'module.exports = Symbol()',
  'module.exports = new Proxy({}, { get() { throw 1 }, ownKeys() { throw 1 }, getOwnPropertyDescriptor() { throw 1 }, getPrototypeOf() { throw 1 } })',
  'Object.defineProperty(module, "exports", { get() { throw new Error("exports") } })',
  'module.exports = globalThis',
  'module.exports = [[[]]]',
  '})(); (function () {',
  '}); globalThis["confine:host"]; (function () {',
])('odd exports: %s', async (source) => {
  const started = await start(source).catch((error) => error)
  if (started instanceof Error) return
  expect(started.runtime.describeAPI().type).toBe('api')
  expect(await rejection(started.call('missing.at.all'))).toBeInstanceOf(Error)
})

test.each([
  ['WebAssembly', 'WebAssembly'],
  ['a descriptor', "Reflect.getOwnPropertyDescriptor(globalThis, 'WebAssembly').get()"],
  ['text', "new Function('return WebAssembly')()"],
  ['a copy of the global object', 'Object.create(globalThis).WebAssembly'],
])('memory that is shared does not cross, got by %s', async (_name, got) => {
  const seen: unknown[] = []
  const { call } = await start(
    `const webAssembly = ${got}
    const { buffer } = new webAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const disguised = Object.setPrototypeOf(new buffer.constructor(8), Object.prototype)
    const made = [buffer, new Uint8Array(buffer), new DataView(buffer), { a: [new Map([[1, buffer]])] }, Object.assign(new Error('x'), { buffer }), disguised, [disguised]]
    exports.give = (index) => made[index]
    exports.take = (index) => host(made[index])
    exports.fail = () => { throw made[4] }
    exports.plain = () => new Uint8Array(2)`,
    { globals: { host: (value: unknown) => seen.push(value) } },
  )
  for (let index = 0; index < 7; index++) {
    expect(await rejection(call('give', index))).toMatchObject({
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringContaining('shared memory'),
    })
    expect(await rejection(call('take', index))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  }
  expect((await rejection(call('fail'))).buffer).not.toBeInstanceOf(SharedArrayBuffer)
  expect(seen).toEqual([])
  expect(await call('plain')).toEqual(new Uint8Array(2))
})

test.each([
  ['far to the right', 'x [/guest/main.js:1:99999999999999]'],
  ['in a file that is none', 'x [/nowhere:1:99999999999999]'],
  ['of any length', `${' ['.repeat(30_000)}:1:1]`],
])(
  'an error that is thrown with a place %s in its message, as those of the compiler have it, is one like any other',
  async (_what, message) => {
    const error = await rejection(start(`throw new SyntaxError(${JSON.stringify(message)})`, { module: 'esm' }))
    expect(error).toMatchObject({ name: 'SyntaxError', message: expect.stringMatching(/^( \[)+|^x/) })
    expect(String((error as Error).stack).length).toBeLessThan(200_000)
  },
)
