import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { thisHost } from '../src/host.ts'

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-host-')))
afterAll(() => rmSync(directory, { recursive: true }))

test('realpath follows links, and throws for what is not there', () => {
  mkdirSync(join(directory, 'real'))
  symlinkSync('real', join(directory, 'link'))
  expect(thisHost.realpath(join(directory, 'link'))).toBe(join(directory, 'real'))
  expect(() => thisHost.realpath(join(directory, 'missing'))).toThrow('ENOENT')
})

test('isEmptyDirectory is false for a full one, a file and nothing', () => {
  mkdirSync(join(directory, 'empty'))
  writeFileSync(join(directory, 'file'), '')
  const paths = ['empty', '', 'file', 'missing'].map((name) => join(directory, name))
  expect(paths.map(thisHost.isEmptyDirectory)).toEqual([true, false, false, false])
})

test('isExecutable is false for a file without the right, and nothing', () => {
  writeFileSync(join(directory, 'data'), '', { mode: 0o644 })
  expect([process.execPath, join(directory, 'data'), join(directory, 'missing')].map(thisHost.isExecutable)).toEqual([true, false, false])
})

test('run starts a program where it was told to, with no environment, and tells how it ended', () => {
  const source = 'console.error(JSON.stringify([process.cwd(), process.env])); process.exitCode = 3'
  const end = thisHost.run(process.execPath, ['-e', source], directory)
  expect({ ...end, stderr: JSON.parse(end.stderr) }).toEqual({ exitCode: 3, signal: null, stderr: [directory, {}] })
  expect(thisHost.run(process.execPath, ['-e', 'process.abort()'], directory)).toMatchObject({ exitCode: null, signal: 'SIGABRT' })
  expect(thisHost.run(join(directory, 'missing'), [], directory)).toMatchObject({
    exitCode: null,
    stderr: expect.stringContaining('ENOENT'),
  })
})
