import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environment, type LaunchOptions, locked, program, run, users } from './support/launch.ts'

// What a guest boots from, installed by a root whose umask is 077. Root's guests are nobody.

const without = program('without')
const calls = program('calls')
/** Says its process id. */
const guest = (directory: string) => ({ file: join(directory, 'program'), args: ['-', '0', '39'], env: environment })

let parent: string
/** All of it is its owner's alone. */
let closed: string
/** What is in it is not for others. */
let half: string

beforeAll(() => {
  // Not in a directory of this user's alone: without namespaces each one on the way counts.
  parent = mkdtempSync(join(realpathSync(tmpdir()), 'confine-closed-'))
  chmodSync(parent, 0o755)
  closed = join(parent, 'closed')
  half = join(parent, 'half')
  for (const [directory, mode] of [
    [closed, 0o700],
    [half, 0o755],
  ] as const) {
    mkdirSync(join(directory, 'runtime'), { recursive: true })
    copyFileSync(calls, join(directory, 'program'))
    writeFileSync(join(directory, 'runtime', 'entry.js'), 'secret')
    chmodSync(join(directory, 'program'), 0o700)
    chmodSync(join(directory, 'runtime', 'entry.js'), 0o600)
    chmodSync(join(directory, 'runtime'), 0o700)
    chmodSync(directory, mode)
  }
})

afterAll(() => rmSync(parent, { recursive: true, force: true }))

const isRoot = users.some((user) => user === 'root')
const failsFor = (path: string, remedy: RegExp, act = 'boot from') => ({
  code: 125,
  stdout: '',
  events: [{ type: 'setup-failed', stage: 'root', reason: expect.stringMatching(remedy) as string }],
  reports: expect.stringContaining(`Cannot let the guest ${act} ${path}: Permission denied`) as string,
})

describe.runIf(isRoot)('launched by root', () => {
  test('a guest boots from what is root’s alone, and cannot change it', async () => {
    for (const directory of [closed, half]) {
      const end = await run(guest(directory), { bootRead: [join(directory, 'runtime')] })
      expect(end).toMatchObject({ code: 0, stdout: expect.stringMatching(/^39 \d+\n$/) as string })
      const entry = join(directory, 'runtime', 'entry.js')
      const code = `console.log(fs.readFileSync('${entry}', 'latin1'))
        for (const act of [() => fs.chmodSync('${entry}', 0o777), () => fs.appendFileSync('${entry}', 'x')]) try { act() } catch ({ code }) { console.log(code) }`
      const node = { file: process.execPath, args: ['-e', code], env: environment }
      expect(await run(node, { bootRead: [join(directory, 'runtime')] })).toMatchObject({ stdout: 'secret\nEROFS\nEROFS\n' })
    }
  })

  test('and no longer than until it is locked', async () => {
    const end = await run(locked(`attempt(() => fs.readFileSync('${closed}/runtime/entry.js', 'latin1'))`), {
      ...{ bootRead: [join(closed, 'runtime')], onViolation: 'deny' },
    })
    expect(end).toMatchObject({ stdout: 'EACCES\n', violations: [{ syscall: 'openat' }] })
  })

  test('without user namespaces the launch fails, and names the file and the remedy', async () => {
    for (const directory of [closed, half]) {
      const end = await run(guest(directory), { under: [without, 'user-namespaces', '--'] })
      expect(end).toMatchObject(failsFor(join(directory, 'program'), /Guests of root are nobody.*chmod -R o\+rX/))
    }
  })

  test('without namespaces each directory on the way counts, and none is to be opened for it', async () => {
    const end = async (directory: string) => await run(guest(directory), { under: [without, 'namespaces', '--'] })
    expect(await end(half)).toMatchObject(failsFor(join(half, 'program'), /Guests of root are nobody.*chmod -R o\+rX/))
    expect(await end(closed)).toMatchObject(failsFor(closed, /install in a directory that everybody may pass/, 'pass through'))
  })
})

test.runIf(isRoot)('launched by nobody, it fails and names what is not readable', async () => {
  const end = async (options: LaunchOptions) => await run(guest(half), { as: 'nobody', ...options })
  expect(await end({})).toMatchObject(failsFor(join(half, 'program'), /Give the user who launches the right/))
  expect(await end({ under: [without, 'namespaces', '--'] })).toMatchObject(failsFor(join(half, 'program'), /the right to read it/))
})
