import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

/** What the same expression gives here, where Node has the real ones. */
async function both(expression: string): Promise<[inside: unknown, here: unknown]> {
  const { call } = await start(`exports.run = async () => { const show = ${show}; return show(await (async () => (${expression}))()) }`)
  // oxlint-disable-next-line no-new-func
  const here = show(await new Function(`return (async () => (${expression}))()`)())
  return [await call('run'), here]
}

/** The same text for what is the same, wherever it was made. */
function show(value: any): string {
  return JSON.stringify(value, (_, item) => {
    if (item instanceof Error || (typeof item === 'object' && item !== null && 'message' in item)) return `${item.name}: ${item.code}`
    if (ArrayBuffer.isView(item)) return `bytes ${[...new Uint8Array(item.buffer, item.byteOffset, item.byteLength)].join()}`
    return item === undefined ? 'undefined' : item
  })
}

const attempt = (expression: string) => `(() => { try { return ${expression} } catch (error) { return error } })()`

describe('as in Node', () => {
  test.each([
    "new TextEncoder().encode('aé€\u{1F600}\\uD800x')",
    "new TextEncoder().encodeInto('aé€\u{1F600}', new Uint8Array(6))",
    'new TextEncoder().encoding',
    "new TextDecoder().decode(new TextEncoder().encode('aé€\u{1F600}'.repeat(1000)))",
    'new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65, 0xff, 66]))',
    "new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 65]))",
    "(() => { const text = 'aé€\u{1F600}'.repeat(300_000); return new TextDecoder().decode(new TextEncoder().encode(text)) === text })()",
    "new TextDecoder('latin1').encoding",
    "new TextDecoder('utf-16le').decode(new Uint16Array([65, 0xd83d, 0xde00]))",
    "new TextDecoder('shift_jis').decode(new Uint8Array([0x82, 0xa0]))",
    '(() => { const d = new TextDecoder(); return [[0xe2, 0x82], [0xac, 0xf0], [0x9f, 0x98], [0x80, 0x41]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()',
    '(() => { const d = new TextDecoder(); return [[0xef], [0xbb, 0xbf], [65]].map((b) => d.decode(new Uint8Array(b), { stream: true })).concat(d.decode()) })()',
    attempt("new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))"),
    attempt("new TextDecoder('nothing')"),
    "btoa('hello'), btoa('a'), btoa('ab'), btoa('\\xff\\x00')",
    "['', 'aGVsbG8=', 'aGVsbG8', ' aG Vs\\nbG8= ', '/+8='].map(atob)",
    attempt("btoa('€')"),
    attempt("atob('a')"),
    attempt("atob('a$')"),
    "new URL('https://u:p@Ex\u00e4mple.com:8080/a/../b?x=1&y=a+b#h').href",
    "(() => { const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = new URL('../x?q', 'http://h:80/a/b/c'); return { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } })()",
    "(() => { const u = new URL('http://h/'); u.protocol = 'https'; u.host = 'k:99'; u.pathname = 'a b'; u.search = 'q=1'; u.hash = 'z'; u.port = 'no'; u.username = 'me'; u.searchParams.append('é', '&'); return [u.href, [...u.searchParams], JSON.stringify({ u }), String(u)] })()",
    "(() => { const u = new URL('http://h/?a=1'); const p = u.searchParams; u.search = '?b=2'; p.set('c', 3); return [u.href, p.size, u.searchParams === p] })()",
    "[URL.canParse('x'), URL.canParse('x', 'http://h'), URL.parse('no'), Object.getOwnPropertyNames(URL.prototype).includes('host')]",
    attempt("new URL('no')"),
    "[...new URLSearchParams('?a=1&b=%20+%E2%82%AC&a=2&=x&c&%zz=%ff')]",
    "(() => { const p = new URLSearchParams({ z: 1, a: '~*()!\\'-._ é' }); p.append('z', 2); p.sort(); p.delete('z', '1'); return [String(p), p.get('z'), p.getAll('z'), p.has('q'), p.get('q'), p.size] })()",
    "String(new URLSearchParams([['a', 'b'], ['c', 'd']]))",
    attempt('new URLSearchParams([[1]])'),
    "(() => { const seen = []; const c = new AbortController(); c.signal.onabort = () => seen.push('on'); c.signal.addEventListener('abort', (e) => seen.push(e.type, e.target === c.signal)); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason] })()",
    "(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal]); c.abort('why'); return [any.aborted, any.reason, AbortSignal.abort().reason] })()",
    attempt('AbortSignal.abort().throwIfAborted()'),
    'new Promise((done) => { const s = AbortSignal.timeout(1); s.onabort = () => done(s.reason) })',
    attempt('new AbortSignal()'),
    "(() => { const t = new EventTarget(); const seen = []; const f = () => seen.push('f'); t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', { handleEvent: () => seen.push('o') }, { once: true }); t.dispatchEvent(new Event('x')); t.removeEventListener('x', f); t.dispatchEvent(new Event('x')); return seen })()",
    "(() => { const t = new EventTarget(); t.addEventListener('x', (e) => { e.preventDefault(); e.stopImmediatePropagation() }); t.addEventListener('x', () => { throw 1 }); return [t.dispatchEvent(new Event('x', { cancelable: true })), new CustomEvent('y', { detail: 5 }).detail] })()",
    "(() => { const e = new DOMException('m', 'AbortError'); return [e instanceof Error, e.name, e.code, e.message, String(e), new DOMException().name] })()",
    attempt('crypto.getRandomValues(new Float32Array(1))'),
    attempt('crypto.getRandomValues(new Uint8Array(65537))'),
    '[crypto.getRandomValues(new Uint32Array(4)).length, /^[\\da-f]{8}-[\\da-f]{4}-4[\\da-f]{3}-[89ab][\\da-f]{3}-[\\da-f]{12}$/.test(crypto.randomUUID())]',
    '(async () => { const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]); const { instance } = await WebAssembly.instantiate(bytes); return [instance.exports.add(2, 3), new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.add(1, 1), WebAssembly.validate(bytes)] })()',
  ])('%s', async (expression) => {
    const [inside, here] = await both(expression)
    expect(inside).toBe(here)
  })
})

test('performance has whole milliseconds and does not go back', async () => {
  const { call } = await start(`exports.run = () => {
    const times = Array.from({ length: 1000 }, () => performance.now())
    return [times.every((time, index) => Number.isInteger(time) && (index === 0 || time >= times[index - 1])), typeof performance.timeOrigin]
  }`)
  expect(await call('run')).toEqual([true, 'number'])
})

test('two isolates have other random bytes', async () => {
  const source = 'exports.run = () => [...crypto.getRandomValues(new Uint8Array(16))].join() + crypto.randomUUID()'
  const [one, two] = [await start(source), await start(source)]
  expect(await one.call('run')).not.toBe(await two.call('run'))
})

test('nothing is loaded before it is read, and a program may replace it', async () => {
  const { call } = await start(`
    const before = Object.getOwnPropertyDescriptor(globalThis, 'URL').get !== undefined
    URL = 5
    exports.run = () => [before, URL, typeof TextEncoder, Object.getOwnPropertyDescriptor(globalThis, 'TextEncoder').value === TextEncoder, 'Buffer' in globalThis]`)
  expect(await call('run')).toEqual([true, 5, 'function', true, false])
})

describe('a program that tampers with what the shims use', () => {
  const tamper = `
    const seen = [], keep = (value) => { if (seen.length < 5000) seen[seen.length] = value }
    const { apply } = Reflect
    for (const prototype of [Object.prototype, Array.prototype, String.prototype, Map.prototype, Function.prototype, Uint8Array.prototype, Promise.prototype]) {
      for (const key of Reflect.ownKeys(prototype)) {
        const { value, configurable } = Object.getOwnPropertyDescriptor(prototype, key)
        if (typeof value !== 'function' || !configurable || key === 'constructor') continue
        Object.defineProperty(prototype, key, { configurable: true, writable: true, value(...args) { keep(this); for (let i = 0; i < args.length; i++) keep(args[i]); return apply(value, this, args) } })
      }
    }
    Object.defineProperty(Object.prototype, 'get', { configurable: true, get() { keep(this) }, set(value) { keep(this); keep(value) } })
    Object.defineProperty(Object.prototype, 'value', { configurable: true, get() { keep(this) }, set(value) { keep(this); keep(value) } })`

  test('finds functions of its own isolate, and no more', async () => {
    const { call, errors } = await start(
      `${tamper}
      exports.run = () => {
        let made = []
        for (const make of [() => new URL('http://h/?a=1').searchParams.get('a'), () => new TextEncoder().encode('x'), () => crypto.randomUUID(), () => Buffer.from('abc').toString('base64')]) {
          try { made.push(typeof make()) } catch (error) { made.push('thrown') }
        }
        const process = []
        for (const value of seen) {
          try { const maker = (typeof value === 'function' ? value : value?.constructor)?.constructor; if (typeof maker === 'function') process.push(maker('return typeof process.binding + typeof process.mainModule')()) } catch {}
        }
        return [made.length, [...new Set(process)]]
      }`,
      { env: 'nodejs' },
    )
    expect(await call('run')).toEqual([4, ['undefinedundefined']])
    expect(errors).toEqual([])
  })

  test('cannot ask for what the shims ask', async () => {
    const { call } = await start('exports.run = (name) => require(name); exports.load = (name) => import(name)', { env: 'nodejs' })
    for (const name of ['confine:system', 'confine:web', 'confine:globals', 'node:web', 'web', 'node:confine:system']) {
      expect(await rejection(call('run', name))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
      expect(await rejection(call('load', name))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
    }
  })

  test('poisons nobody else', async () => {
    const bad = await start(
      "Object.prototype.polluted = 1; Array.prototype.push = () => { throw new Error('no') }; new URL('http://h'); exports.run = () => 1",
      { env: 'nodejs' },
    )
    const good = await start("exports.run = () => [({}).polluted, new URL('http://h').href, new URLSearchParams('a=1').get('a')]")
    expect(await bad.call('run')).toBe(1)
    expect(await good.call('run')).toEqual([undefined, 'http://h/', '1'])
  })
})
