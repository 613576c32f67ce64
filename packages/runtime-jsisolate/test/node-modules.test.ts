import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

/** What the same function body gives here, where the modules are Node's own. */
async function both(body: string): Promise<[inside: unknown, here: unknown]> {
  const { call } = await start(`exports.run = async () => JSON.stringify(await (async () => { ${body} })())`, { env: 'nodejs' })
  // oxlint-disable-next-line no-new-func
  const here = await new Function('require', `return (async () => { ${body} })()`)(createRequire(import.meta.url))
  return [await call('run'), JSON.stringify(here)]
}

describe('as in Node', () => {
  test.each([
    [
      "return [Buffer.from('héllo').toString('hex'), Buffer.from('aGk=', 'base64').toString(), Buffer.concat([Buffer.from([1]), Buffer.alloc(2, 7)]).equals(Buffer.from([1, 7, 7])), Buffer.byteLength('€'), Buffer.isBuffer(Buffer.alloc(1)), Buffer.from('ab').readUInt16BE(0), JSON.stringify(Buffer.from('x'))]",
    ],
    ["const { Buffer: B, constants } = require('buffer'); return [B === Buffer, typeof constants.MAX_LENGTH]"],
    [
      "const { StringDecoder } = require('node:string_decoder'); const d = new StringDecoder('utf8'); return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end()]",
    ],
    ["const q = require('querystring'); return [q.parse('a=1&b=2&a=3&c=%20x'), q.stringify({ a: [1, 2], b: 'ü &' })]"],
    [
      "const u = require('url'); const p = u.parse('http://u:p@h:8/p/a?q=1#f'); return [p.host, p.auth, p.pathname, p.query, u.resolve('http://h/a/b', '../c'), u.fileURLToPath('file:///a%20b/c'), u.pathToFileURL('/a b#c?d').href, u.domainToASCII('bücher.example'), u.URL === URL, u.urlToHttpOptions(new URL('http://a:b@h:1/x?y')).path]",
    ],
    [
      "const util = require('util'); return [util.inspect({ a: [1, { b: true }], s: 'x' }), util.format('%s %d %j %%', 'a', 1.5, { x: 1 }, 'more'), util.isDeepStrictEqual({ a: [1] }, { a: [1] }), util.isDeepStrictEqual([1], ['1']), util.types.isMap(new Map()), util.types.isRegExp({}), util.stripVTControlCharacters('\\u001b[31mred\\u001b[0m'), util.inspect.custom.description]",
    ],
    [
      "const util = require('util'); return [await util.promisify((x, done) => done(null, x * 2))(4), await new Promise((done) => util.callbackify(async () => 5)((e, v) => done([e, v])))]",
    ],
    [
      "const assert = require('assert'); const codes = []; for (const act of [() => assert(0), () => assert.strictEqual(1, 2), () => assert.deepStrictEqual({ a: 1 }, { a: 2 }), () => assert.throws(() => {}), () => assert.deepEqual([1], ['1'])]) { try { act(); codes.push('ok') } catch (e) { codes.push(e.code, e.name) } } return codes",
    ],
    [
      "const { Readable, Transform, pipeline, PassThrough } = require('stream'); const up = new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()) } }); const seen = []; await require('stream/promises').pipeline(Readable.from(['a', 'b']), up, async function (source) { for await (const chunk of source) seen.push(String(chunk)) }); return [seen, typeof PassThrough, typeof pipeline]",
    ],
    [
      "const { Readable, finished } = require('stream'); const r = new Readable({ read() { this.push('x'); this.push(null) } }); let all = ''; r.on('data', (d) => { all += d }); await new Promise((done) => finished(r, done)); return [all, r instanceof require('events')]",
    ],
    [
      "const c = require('crypto'); return [c.createHash('sha256').update('a').digest('hex'), c.createHash('md5').update('a').digest('base64'), c.createHash('sha512').update('b').digest('hex'), c.createHmac('sha1', 'k').update('d').digest('hex'), c.pbkdf2Sync('p', 's', 10, 16, 'sha256').toString('hex'), c.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), c.randomBytes(8).length, c.randomUUID().length]",
    ],
    [
      "const c = require('crypto'); const k = Buffer.alloc(32, 1), iv = Buffer.alloc(16, 2); const e = c.createCipheriv('aes-256-cbc', k, iv); const t = e.update('hello', 'utf8', 'hex') + e.final('hex'); const d = c.createDecipheriv('aes-256-cbc', k, iv); return [t, d.update(t, 'hex', 'utf8') + d.final('utf8')]",
    ],
    [
      "const c = require('crypto'); const n = Array.from({ length: 50 }, () => c.randomInt(3, 6)); return [n.every((x) => x >= 3 && x < 6), await new Promise((done) => c.randomInt(1, (e, x) => done(x)))]",
    ],
    [
      "const E = require('events'); const e = new E(); const seen = []; e.once('a', (x) => seen.push(x)); e.emit('a', 1); e.emit('a', 2); return [seen, e.listenerCount('a'), typeof E.once, E.defaultMaxListeners]",
    ],
    ["const os = require('os'); return [os.EOL, typeof os.hostname(), Array.isArray(os.cpus()), os.platform()]"],
    [
      "return [require('punycode').toASCII('mañana.com'), require('tty').isatty(1), typeof require('perf_hooks').performance.now(), require('assert/strict').equal === require('assert').strictEqual]",
    ],
    [
      'const t = setTimeout(() => {}, 1000); t.unref(); const r = [t.hasRef !== undefined, typeof +t, t.refresh() === t]; clearTimeout(t); clearTimeout(undefined); const i = setInterval(() => {}, 5); clearInterval(i); return r',
    ],
    [
      "const { setTimeout: wait, scheduler } = require('timers/promises'); const c = new AbortController(); setTimeout(() => c.abort(), 1); return [await wait(1, 'v'), await wait(10000, 0, { signal: c.signal }).catch((e) => e.name), await scheduler.wait(1)]",
    ],
    [
      'let never = true; const t = setTimeout(() => { never = false }, 1); clearTimeout(t); await new Promise((done) => setTimeout(done, 5)); return never',
    ],
  ])('%s', async (body) => {
    const [inside, here] = await both(body)
    expect(inside).toBe(here)
  })
})

test.each(['fs', 'net', 'child_process', 'http', 'worker_threads', 'vm', 'module', 'v8', 'dns', 'cluster', 'inspector'])(
  '%s says by its name that it is not available',
  async (name) => {
    const { call } = await start(`const m = require('${name}'); exports.names = () => Object.keys(m); exports.use = (name) => m[name]()`, {
      env: 'nodejs',
    })
    const [member] = await call('names')
    expect(await rejection(call('use', member))).toMatchObject({
      code: 'ERR_NOT_AVAILABLE',
      message: `${name}.${member} is not available in this sandbox`,
    })
  },
)

test('a Buffer arrives outside as bytes', async () => {
  const { call } = await start("exports.make = () => Buffer.from('abc'); exports.take = (bytes) => Buffer.from(bytes).toString()", {
    env: 'nodejs',
  })
  expect([...(await call('make'))]).toEqual([97, 98, 99])
  expect(await call('take', Buffer.from('def'))).toBe('def')
})

test('vanilla programs find none of it', async () => {
  const { call } = await start(
    "exports.run = () => [typeof Buffer, typeof process.env, (() => { try { require('buffer') } catch (error) { return error.code } })()]",
  )
  expect(await call('run')).toEqual(['undefined', 'undefined', 'MODULE_NOT_FOUND'])
})
