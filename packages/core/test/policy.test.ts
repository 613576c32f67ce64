import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkPolicy } from '../src/policy.ts'
import { resolveRuntime } from '../src/resolve-runtime.ts'
import { fixture } from './support.ts'

const runtime = resolveRuntime(fixture('plain-runtime'))
const check = (policy: unknown) => checkPolicy(policy, runtime)
const nothing = { read: [], write: [], scratchMiB: 0, hardened: false }
let root: string

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'confine-policy-')))
  for (const path of ['data/in/deep', 'data-2', 'out']) mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, 'file'), '')
  symlinkSync(join(root, 'data'), join(root, 'link'))
  symlinkSync('/proc', join(root, 'kernel'))
})
afterAll(() => rmSync(root, { recursive: true }))

test('without one there is nothing', () => {
  expect(check(undefined)).toEqual(nothing)
  expect(check({})).toEqual(nothing)
  expect(check({ read: undefined, hardened: undefined })).toEqual(nothing)
})

test('paths become real ones: relative to the working directory, behind links, without dots', () => {
  const paths = [relative(process.cwd(), join(root, 'data')), join(root, 'link'), `${root}/data/in/..//`, join(root, 'file')]
  expect(check({ read: paths }).read).toEqual([join(root, 'data'), join(root, 'file')])
})

test('what the path around it allows is left out, and what differs stays', () => {
  const at = (...paths: string[]) => paths.map((path) => join(root, path))
  expect(check({ read: at('data', 'data/in', 'data-2') })).toEqual({ ...nothing, read: at('data', 'data-2') })
  expect(check({ read: at('data', 'data/in/deep'), write: at('data/in') })).toEqual({
    ...nothing,
    read: at('data', 'data/in/deep'),
    write: at('data/in'),
  })
  expect(check({ read: at('data/in'), write: at('data') })).toEqual({ ...nothing, read: at('data/in'), write: at('data') })
})

test.each([
  ['a policy that is none', 5, /policy must be an object/],
  ['an unknown option', { reads: [] }, /no option policy\.reads; there are read, write, scratchMiB, hardened/],
  ['a path for a list', { read: '/tmp' }, /policy\.read must be a list/],
  ['a number for a path', { read: [5] }, /policy\.read.*no path/],
  ['an empty path', { write: [''] }, /policy\.write.*no path/],
  ['a zero byte', { read: ['/tmp\0x'] }, /no path/],
  ['what is not there', { write: ['/no/such/place'] }, /policy\.write.*nothing of that name. Make it/],
  ['the root', { read: ['/'] }, /every file of this machine/],
  ['the root by dots', { read: ['/usr/..'] }, /every file of this machine/],
  ['the kernel', { read: ['/proc/self'] }, /\/proc are no files but the kernel/],
  ['devices', { read: ['/dev/null'] }, /\/dev are no files/],
  ['half a scratch', { scratchMiB: 0.5 }, /scratchMiB.*0 to 65536; it is 0.5/],
  ['a negative scratch', { scratchMiB: -1 }, /scratchMiB/],
  ['an endless scratch', { scratchMiB: Number.POSITIVE_INFINITY }, /scratchMiB/],
  ['a word for a flag', { hardened: 'yes' }, /hardened must be true or false/],
  ['the directory of node', { write: [dirname(realpathSync(process.execPath))] }, /boots from/],
  ['the runtime itself', { write: [fixture('plain-runtime')] }, /boots from/],
  ['what is above it', { write: [dirname(fixture('plain-runtime'))] }, /boots from/],
  ['two kinds of /tmp', { read: ['/tmp'], scratchMiB: 1 }, /\/tmp of its own/],
])('%s is refused', (_name, policy, message) => {
  expect(() => check(policy)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringMatching(message) }))
})

test('a path is refused that is in both lists, or leads to the kernel, or is no file', async () => {
  expect(() => check({ read: [join(root, 'out')], write: [join(root, 'out')] })).toThrow(/in policy\.read and in policy\.write/)
  expect(() => check({ read: [join(root, 'kernel')] })).toThrow(/the kernel itself/)
  const server = createServer().listen(join(root, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  expect(() => check({ read: [join(root, 'socket')] })).toThrow(/neither a file nor a directory/)
  server.close()
})

test('more than 64 paths are refused', () => {
  const many = Array.from({ length: 65 }, (_, index) => join(root, `many-${index}`))
  for (const path of many) mkdirSync(path)
  expect(check({ read: many.slice(1) }).read).toHaveLength(64)
  expect(() => check({ read: many })).toThrow(/up to 64 paths/)
})
