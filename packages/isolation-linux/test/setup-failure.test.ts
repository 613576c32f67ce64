import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPolicy } from '@confine-sandbox/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodePlan } from '../src/plan.ts'
import { architecture, backend, launch, locked, run, users } from './support/launch.ts'

let directory: string
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-setup-')))
  chmodSync(directory, 0o755)
})
afterAll(() => rmSync(directory, { recursive: true }))

const failed = (stage: string, reason: string | RegExp, code = 125) => ({
  code,
  signal: null,
  stdout: '',
  events: [{ type: 'setup-failed', stage, reason: expect.stringMatching(reason) }],
})

describe.each(users)('launched by %s', (as) => {
  test('a place that is not there is named', async () => {
    const end = await run(locked("say('ran')"), { as, bootRead: ['/no/such/directory'] })
    expect(end).toMatchObject(failed('root', /^Cannot bind \/no\/such\/directory: No such file or directory$/))
  })

  test('a program that is not there is named', async () => {
    const rewrite = (args: readonly string[]) => args.with(-3, '/no/such/program')
    expect(await run(locked("say('ran')"), { as, rewrite })).toMatchObject({
      ...failed('exec', '', 127),
      events: [
        {
          type: 'setup-failed',
          stage: 'exec',
          reason: expect.stringMatching(/^Cannot execute \/no\/such\/program: No such file or directory\. The program/),
        },
      ],
    })
  })

  test.each([
    ['is not executable', 0o644, failed('root', /^Cannot let the guest boot from .*: Permission denied\. /)],
    ['is no program', 0o755, failed('exec', /^Cannot execute .*: Exec format error$/, 126)],
  ])('a program that %s is refused', async (_name, mode, end) => {
    const file = join(directory, `program-${as}-${mode}`)
    writeFileSync(file, 'no program', { mode })
    chmodSync(file, mode)
    expect(await run({ file, args: [], env: {} }, { as })).toMatchObject(end)
  })
})

describe('a plan', () => {
  const plan = Buffer.from(backend.confine(locked(''), defaultPolicy).descriptors[0]?.send ?? [])
  const changed = (change: (plan: Buffer) => void) => {
    const copy = Buffer.from(plan)
    change(copy)
    return copy
  }
  const instructions = plan.readUInt32LE(8)
  const rulesAt = 20 + 8 * instructions
  const other = architecture === 'x64' ? 'arm64' : 'x64'

  test.each<[string, () => Uint8Array, string, RegExp]>([
    ['of nothing that is one', () => Buffer.alloc(plan.length, 1), 'plan', /no plan, or one of another version/],
    ['for another architecture', () => encodePlan(defaultPolicy, other), 'plan', /another architecture/],
    ['without a filter', () => changed((copy) => copy.writeUInt32LE(0, 8)), 'plan', /out of bounds/],
    ['with too long a filter', () => changed((copy) => copy.writeUInt32LE(4097, 8)), 'plan', /out of bounds/],
    ['with too many rules', () => changed((copy) => copy.writeUInt32LE(0xffffffff, 12)), 'plan', /out of bounds/],
    ['with too many paths', () => changed((copy) => copy.writeUInt32LE(0x7fffffff, 16)), 'plan', /out of bounds/],
    ['whose rules are not sorted', () => changed((copy) => copy.writeUInt16LE(1000, rulesAt)), 'plan', /unsound/],
    ['with an answer that lets a call pass', () => changed((copy) => copy.writeUInt16LE(0, rulesAt + 4)), 'plan', /unsound/],
    ['with an error number that is none', () => changed((copy) => copy.writeUInt16LE(4000, rulesAt + 4)), 'plan', /unsound/],
    ['with a path in a seventh argument', () => changed((copy) => copy.writeUInt8(6, rulesAt + 3)), 'plan', /unsound/],
    ['whose paths do not end', () => changed((copy) => copy.fill('x', plan.length - 1)), 'plan', /no end/],
    [
      'with a filter that the kernel does not take',
      () => changed((copy) => copy.fill(0xff, 20, 28)),
      'seccomp',
      /filter of the guest: Invalid argument/,
    ],
  ])('%s is refused', async (_name, bytes, stage, reason) => {
    expect(await run(locked("say('ran')"), { plan: bytes() })).toMatchObject(failed(stage, reason))
  })

  test('that ends early is refused', async () => {
    const guest = launch(locked("say('ran')"), { plan: plan.subarray(0, plan.length - 1) })
    guest.control.end()
    expect(await guest.end).toMatchObject(failed('plan', /ended early/))
  })

  test('that never comes is waited for as long as the host lives', async () => {
    const guest = launch(locked("say('ran')"), { plan: new Uint8Array() })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(guest.child.exitCode).toBe(null)
    guest.control.destroy()
    expect(await guest.end).toMatchObject({ code: 125, stdout: '' })
  })
})

describe('an argument', () => {
  test.each<[string, string[]]>([
    ['that is unknown', ['--allow-everything']],
    ['without its value', ['--bind']],
    ['with a relative path', ['--bind', 'tmp']],
    ['with a path that goes up', ['--bind', '/tmp/../etc']],
    ['with a path that does not move', ['--bind', '/tmp/./x']],
    ['with an empty part', ['--bind', '/tmp//x']],
    ['with a slash at its end', ['--bind', '/tmp/']],
    ['for the root', ['--bind', '/']],
    ['with a link to nowhere', ['--link', '/a', 'b']],
    ['with an unknown limit', ['--rlimit', 'patience=1']],
    ['with a limit that is no number', ['--rlimit', 'cpu=-1']],
    ['with more descriptors than the kernel should keep a table for', ['--rlimit', 'nofile=65537']],
    ['with fewer descriptors than are given', ['--rlimit', 'nofile=4']],
    ['with more steps back than there are', ['--nice', '40']],
    ['with steps forward', ['--nice', '-1']],
    ['with an unknown choice', ['--on-violation', 'allow']],
  ])('%s is refused', async (_name, more) => {
    const end = await run(locked("say('ran')"), { rewrite: (args) => [...more, ...args] })
    expect(end).toMatchObject(failed('options', /^Cannot use the argument .+\. The launcher and the package/))
  })

  test.each([
    ['--lock', /--lock \(it is missing\)/],
    ['--rlimit', /nofile=N is needed, 65536 at most/],
    ['--', /must follow/],
  ])('%s cannot be left out', async (name, reason) => {
    const rewrite = (args: readonly string[]) => {
      if (name === '--') return args.slice(0, args.indexOf('--'))
      return args.filter((arg, index) => arg !== name && args[index - 1] !== name)
    }
    expect(await run(locked("say('ran')"), { rewrite })).toMatchObject(failed('options', reason))
  })
})

test('without a socket to the host the launcher says what it is for', () => {
  const { file, args } = backend.confine(locked(''), defaultPolicy)
  const end = spawnSync(file, args, { encoding: 'utf8', env: {} })
  expect(end).toMatchObject({ status: 125, stdout: '' })
  expect(end.stderr).toMatch(/^confine-launch: descriptors 0 to 4 must be open and the last one a socket/)
})
