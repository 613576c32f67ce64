import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SandboxConstructorOpts } from '../src/index.ts'

interface Outcome {
  readonly got?: unknown
  readonly code?: string
  readonly message?: string
  readonly end?: string
  readonly violations: readonly string[]
}

/** Runs programs by the built packages: node strips types by WebAssembly, so a hardened guest loads no TypeScript. */
async function runAll(options: Omit<SandboxConstructorOpts, 'globals'>, sources: readonly string[]): Promise<readonly Outcome[]> {
  const programs = sources.map((source) => ({ options, source, params: [] }))
  const host = fileURLToPath(new URL('run-programs.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-node-snapshot', host, JSON.stringify(programs)])
  return JSON.parse(stdout) as Outcome[]
}

async function run(options: Omit<SandboxConstructorOpts, 'globals'>, source: string): Promise<Outcome> {
  return (await runAll(options, [source]))[0] as Outcome
}

const calls = {
  'a sum': 'return 1 + 2',
  'a loop': 'let sum = 0; for (let i = 0; i < 1e5; i++) sum += i % 7; return sum',
  'a regular expression': "return /(\\d+)-(?<=x.*)(\\w+)/u.exec('x12-ab').slice(1)",
  'typed arrays': 'return [...new Float64Array([1, 2, 3]).map((x) => x * 2)]',
  'compiled text': "return [eval('1 + 1'), new Function('return 3')()]",
  'promises and generators':
    'const all = []; for await (const x of (async function* () { yield 1; yield* [2, 3] })()) all.push(x); return all',
  'text and numbers':
    "return [JSON.stringify({ a: [1n.toString(), 0.1 + 0.2] }), 'ä'.normalize('NFD').length, new Intl.NumberFormat('en').format(1234.5)]",
  'an error': 'try { null.x } catch (error) { return [error.name, error.message] }',
  'the host': "return [await host.one(4), await host.one('x')]",
}

describe.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('a hardened guest with %s', (runtime) => {
  const sources = Object.values({ ...calls, WebAssembly: 'return typeof WebAssembly' }).map(
    (code) => `exports.run = async () => { ${code} }`,
  )
  let plain: readonly Outcome[]
  let hardened: readonly Outcome[]
  beforeAll(async () => {
    plain = await runAll({ runtime }, sources)
    hardened = await runAll({ runtime, policy: { hardened: true } }, sources)
  })

  test.each(Object.keys(calls).map((what, index) => [what, index] as const))('computes %s as others do', (_what, index) => {
    expect(plain[index]).toMatchObject({ got: expect.anything(), violations: [] })
    expect(hardened[index]).toEqual(plain[index])
  })

  test('has no WebAssembly, and others have', () => {
    expect(plain.at(-1)).toMatchObject({ got: 'object' })
    expect(hardened.at(-1)).toMatchObject({ got: 'undefined', violations: [] })
  })

  test('is ended by its deadline like any other', async () => {
    const spinning = await run({ runtime, policy: { hardened: true }, limits: { lifeMs: 2500 } }, 'exports.run = () => { for (;;); }')
    expect(spinning).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', end: 'timeout' })
  })
})

test('with files and scratch space, too', async () => {
  const source =
    "const fs = require('node:fs'); exports.run = () => { fs.writeFileSync('/tmp/a', 'x'); return [fs.readFileSync('/tmp/a', 'utf8'), typeof WebAssembly] }"
  const policy = { hardened: true, scratchMiB: 1 }
  expect(await run({ runtime: 'jseval-confine-runtime', policy }, source)).toMatchObject({ got: ['x', 'undefined'], violations: [] })
})
