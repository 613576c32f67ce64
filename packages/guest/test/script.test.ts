import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf, compileText, type GuestText, runText } from '../src/script.ts'

const run = promisify(execFile)

function written(text: string, kind: GuestText['kind'] = 'runtime'): GuestText {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'text.cjs')
  writeFileSync(path, text)
  return { path, kind }
}

const text = `"use strict"; const settings = 'ü'; class Named { say() { return settings } }; exports.said = new Named().say(); module.exports.strict = (function () { return this === undefined })()`

test.each([
  ['none', () => undefined],
  ['its own', codeOf],
  ['that of another text', () => codeOf(written('exports.said = 1'))],
  ['garbage', () => Buffer.alloc(2000, 'garbage')],
  ['nothing', () => Buffer.alloc(0)],
])('a text runs with what V8 knows of it, whatever that is: %s', (_name, code) => {
  const given = written(text)
  const module = { exports: {} }
  runText(given, code(given), () => {}, module.exports, module)
  expect(module.exports).toEqual({ said: 'ü', strict: true })
})

test.each([0, 1, 262_000, 262_144, 600_000])('a text of %i characters more is read whole', (length) => {
  const module = { exports: {} as { said?: string } }
  runText(written(`exports.said = "${'ü'.repeat(length / 2)}${'x'.repeat(length % 2)}end"`), undefined, () => {}, module.exports, module)
  expect(module.exports.said?.length).toBe(Math.floor(length / 2) + (length % 2) + 3)
})

test('what was compiled while a text ran is in what it gives afterwards, and its places are those in the file', () => {
  const given = written(
    'exports.later = (times) => {\n  let sum = 0; for (let i = 0; i < times; i++) sum += i; return sum\n}; exports.fail = () => { throw new Error("x") }',
  )
  const module = { exports: {} as { later(times: number): number; fail(): void } }
  const script = runText(given, undefined, () => {}, module.exports, module)
  const before = script.createCachedData().length
  expect(module.exports.later(5)).toBe(10)
  const learned = script.createCachedData()
  expect(learned.length).toBeGreaterThan(before)
  expect(compileText(given, Buffer.from(learned)).cachedDataRejected).toBe(false)
  expect(module.exports.fail).toThrow(expect.objectContaining({ stack: expect.stringContaining(`${given.path}:3:33`) }))
  const first = written('throw new Error("x")')
  expect(() => runText(first, undefined, () => {}, {}, {})).toThrow(
    expect.objectContaining({ stack: expect.stringContaining(`${first.path}:1:7`) }),
  )
})

test('what a process knows is of use to one with the flags of a guest', async () => {
  const given = JSON.stringify(written(text))
  const index = JSON.stringify(new URL('../src/script.ts', import.meta.url).href)
  const evaluate = async (flags: readonly string[], expression: string): Promise<string> => {
    const program = `const { codeOf, compileText } = await import(${index}); console.log(${expression})`
    return (await run(process.execPath, [...flags, '--input-type=module', '-e', program])).stdout.trim()
  }
  const code = await evaluate([], `Buffer.from(codeOf(${given})).toString('base64')`)
  const isRejected = `compileText(${given}, Buffer.from('${code}', 'base64')).cachedDataRejected`
  const flags = ['--max-old-space-size=384', '--max-semi-space-size=8', '--experimental-vm-modules', '--preserve-symlinks-main']
  expect(await evaluate(flags, isRejected)).toBe('false')
  // Refused, not believed, where the flags are others.
  expect(await evaluate(['--no-opt'], isRejected)).toBe('true')
})
