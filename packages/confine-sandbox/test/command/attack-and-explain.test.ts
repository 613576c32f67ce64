import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPolicy } from '@confine-sandbox/contract'
import { macos } from '@confine-sandbox/isolation-macos'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seatbeltActs } from '../../src/command/seatbelt-acts.ts'
import { confine } from './support.ts'

let directory: string
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-explain-')))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function policy(text: string): string {
  const path = join(directory, 'policy.json')
  writeFileSync(path, text)
  return path
}

test('attack sees what gets through where nothing holds it, also when the program says nothing', async () => {
  const only = ['read-file', 'write-file', 'connect-loopback', 'open-inspector-of-process'].flatMap((id) => ['--only', id])
  const { code, out } = await confine('attack', '--no-sandbox', '--json', ...only)
  expect(code).toBe(1)
  const { outcomes } = JSON.parse(out) as { outcomes: { id: string; outcome: string; how: string }[] }
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['through', 'through', 'through', 'through'])
  expect(outcomes.map(({ how }) => how)).toEqual([
    'it got "canary of the host"',
    expect.stringMatching(/a file of the host was (made|changed)/),
    'a TCP server of the host was connected to',
    expect.stringMatching(/a process of the host was ended|it got "asked"/),
  ])
})

test('attack takes another runtime, and prints a table', async () => {
  const { code, out } = await confine('attack', '--runtime', 'jsisolate', '--only', 'read-file', '--only', 'spawn')
  expect(code).toBe(0)
  expect(out).toMatch(/^held +files +read a file of the host +refused: ERR_NOT_AVAILABLE$/m)
  expect(out).toMatch(/^2 attacks, none got through$/m)
})

describe('confine explain', () => {
  test('tells what a policy allows and what holds it', async () => {
    const path = policy(JSON.stringify({ policy: { read: [directory], scratchMiB: 4 }, limits: { memoryMiB: 64 }, onViolation: 'deny' }))
    const { code, out } = await confine('explain', '--json', path)
    expect(code).toBe(0)
    const explanation = JSON.parse(out) as { syscalls: Record<string, string[]>; parts: { part: string; by: string[]; wanted: number }[] }
    expect(explanation).toMatchObject({ read: [directory], write: [], scratchMiB: 4, onViolation: 'deny', problems: [] })
    for (const { by, wanted } of explanation.parts) expect(by.length).toBeGreaterThanOrEqual(wanted)
    expect(explanation.syscalls.allowed).toContain('read')
    expect(explanation.syscalls.reported).toContain('execve')
    expect(explanation.syscalls.killed).toContain('ptrace')
    const text = await confine('explain', path)
    expect(text.out).toContain(`read             ${directory}`)
    expect(text.out).toMatch(/a forbidden act fails and is reported[\s\S]*memoryMiB +64 +V8/)
  })

  test('says when this machine does not hold it', async () => {
    const { code, out } = await confine('explain', policy('{ "minIsolation": { "files": 9 } }'))
    expect(code).toBe(1)
    expect(out).toMatch(/files .*9 wanted[\s\S]*does not hold it[\s\S]*files by 9/)
  })

  test.each([
    ['[]', /must be an object/],
    ['{', /Cannot read the policy/],
    ['{ "noSandbox": true }', /has a field "noSandbox"/],
    ['{ "policy": { "raed": [] } }', /no option policy\.raed/],
    ['{ "policy": { "read": ["/proc"] } }', /the kernel itself/],
    ['{ "limits": { "memoryMiB": "64" } }', /limits\.memoryMiB must be/],
    ['{ "runtime": 5 }', /runtime/],
  ])('refuses %s', async (text, why) => {
    const { code, err } = await confine('explain', policy(text))
    expect(code).toBe(64)
    expect(err).toMatch(why)
  })

  test('on a Mac, the profile is asked', () => {
    const mac = macos({
      platform: 'darwin',
      isExecutable: () => true,
      isEmptyDirectory: () => true,
      realpath: (path) => path,
      run: () => ({ exitCode: 0, signal: null, stderr: '' }),
    })
    const verdicts = seatbeltActs(
      mac.confine({ file: '/usr/local/bin/node', args: [], env: {} }, { ...defaultPolicy, bootRead: ['/Users/ada/runtime'] }),
    )
    expect(verdicts).toHaveLength(8)
    expect(verdicts.every(({ answer }) => answer.startsWith('refused'))).toBe(true)
    expect(verdicts.find(({ act }) => act === 'start a program')?.answer).toBe('refused, and SIGSYS ends the guest')
    expect(seatbeltActs({ file: '/bin/node', args: [], env: {}, cwd: '/', descriptors: [] })).toEqual([])
  })
})
