import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf, type GuestText, runText } from '../src/script.ts'

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

test('what a process knows is of use to one with the flags of a guest', async () => {
  const given = JSON.stringify(written(text))
  const index = JSON.stringify(new URL('../src/script.ts', import.meta.url).href)
  const evaluate = async (flags: readonly string[], expression: string): Promise<string> => {
    const program = `const { codeOf, compileText } = await import(${index}); console.log(${expression})`
    return (await run(process.execPath, [...flags, '--input-type=module', '-e', program])).stdout.trim()
  }
  const code = await evaluate([], `Buffer.from(codeOf(${given})).toString('base64')`)
  const isRejected = `compileText(${given}, { cachedData: Buffer.from('${code}', 'base64') }).cachedDataRejected`
  const flags = ['--max-old-space-size=384', '--max-semi-space-size=8', '--experimental-vm-modules', '--preserve-symlinks-main']
  expect(await evaluate(flags, isRejected)).toBe('false')
  // Refused, not believed, where the flags are others.
  expect(await evaluate(['--no-opt'], isRejected)).toBe('true')
})
