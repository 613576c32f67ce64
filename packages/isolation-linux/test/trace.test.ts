import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { compileFilter } from '../src/filter.ts'
import { simulate } from '../src/simulator.ts'
import { syscallName, syscallNumber } from '../src/syscall-numbers.ts'
import { architecture, type End, launch, locked, lockPath, program, run, statusOf, users } from './support/launch.ts'

const textOf = (end: Pick<End, 'events'>) => end.events.flatMap((event) => (event.type === 'trace' ? [event.text] : [])).join('')
const number = (name: string) => `${syscallNumber(name, architecture)}`
const make = (calls: readonly string[], trace: boolean) =>
  run({ file: program('calls'), args: [lockPath, '-1', ...calls], env: {} }, { trace, onViolation: 'deny' })

describe.each(users)('launched by %s', (as) => {
  test('every call is told, and what became of it', async () => {
    const code = "say('written'); attempt(() => fs.readFileSync('/etc/passwd')); attempt(() => fs.readFileSync('/proc/meminfo'))"
    const end = await run(locked(code), { as, trace: true, onViolation: 'deny' })
    expect(end).toMatchObject({ code: 0, stdout: 'written\nEACCES\nENOENT\n', violations: [{ syscall: 'openat', path: '/etc/passwd' }] })
    expect(end.events.filter(({ type }) => type !== 'trace').map(({ type }) => type)).toEqual(['ready', 'locked', 'violation', 'usage'])
    const text = textOf(end)
    for (const line of text.trim().split('\n')) expect(line).toMatch(/^\[\d+\] [\w-]+\(.*\)( = .*)?$/)
    expect(text).toMatch(/\] execve\(/)
    expect(text).toMatch(new RegExp(`"${lockPath}".* = -1 ENOENT \\(the guest is locked\\)\n`))
    expect(text).toContain('write(1, "written\\n", 8)\n')
    expect(text).toMatch(/openat\(AT_FDCWD, "\/etc\/passwd", .*\) = -1 EACCES \(refused\)\n/)
    expect(text).toMatch(/openat\(AT_FDCWD, "\/proc\/meminfo", .*\) = -1 ENOENT \(refused\)\n/)
    expect(text).toMatch(/io_uring_setup\(.*\) = -1 ENOSYS \(refused\)\n|clone3\(.*\) = -1 ENOSYS \(refused\)\n/)
  })

  test('a violation kills as ever', async () => {
    const end = await run(locked("fs.statSync('/x')"), { as, trace: true })
    expect(end).toMatchObject({ signal: 'SIGSYS', violations: [{ path: '/x', action: 'kill' }] })
    expect(textOf(end)).toMatch(/"\/x".* = \? \(forbidden: the guest is ended\)\n$/)
  })
})

test('nothing is traced unless it is asked for', async () => {
  expect(textOf(await run(locked("say('x')"), {}))).toBe('')
})

test('a traced guest can do what an untraced one can, and no more', async () => {
  const filter = compileFilter({ threads: false }, architecture)
  const args = new Array<bigint>(6).fill(0xffff_ffff_ffff_ffffn)
  // As in sweep.test.ts.
  const notMade = ['exit', 'exit_group', 'rt_sigreturn', 'uretprobe', 'uprobe']
  const made = Array.from({ length: 1024 }, (_, call) => call)
    .filter(
      (call) => simulate(filter, { number: call, args, architecture }) !== 'kill' && !notMade.includes(syscallName(call, architecture)),
    )
    .map(String)
  const [traced, untraced] = await Promise.all([make(made, true), make(made, false)])
  // brk tells an address.
  const results = ({ stdout }: End) => stdout.replace(/ \d{5,}$/gm, ' address')
  expect(results(traced)).toBe(results(untraced))
  expect(traced.violations.map(({ syscall }) => syscall)).toEqual(untraced.violations.map(({ syscall }) => syscall))
  expect(traced.violations.length).toBeGreaterThan(700)
})

test.each([
  ...['ptrace', 'bpf', 'io_uring_enter', 'unshare', 'execveat'].map((name) => [name, number(name)]),
  ...(architecture === 'x64' ? [['an x32 call', `${0x40000000 + 39}`]] : []),
])('what an exploit makes ends a traced guest, too: %s', async (_name, call) => {
  const end = await make([call as string], true)
  expect(end).toMatchObject({ code: null, signal: 'SIGSYS', stdout: '', violations: [] })
  expect(textOf(end)).toMatch(/\(forbidden: the guest is ended\)\n$/)
})

test.runIf(architecture === 'x64')('a call of another architecture ends a traced guest, too', async () => {
  expect(await make(['i386,20'], true)).toMatchObject({ code: null, signal: 'SIGSYS', stdout: '' })
})

describe('under a flood of calls', () => {
  const count = 50_000
  const flood = (then = '') => locked(`for (let i = 0; i < ${count}; i++) process.getuid(); say('survived'); ${then}`)

  test('the host hears a bounded part, and the number of the rest', async () => {
    const began = performance.now()
    const end = await run(flood(), { trace: true })
    const seconds = (performance.now() - began) / 1000
    expect(end).toMatchObject({ code: 0, stdout: 'survived\n' })
    const lines = textOf(end).trim().split('\n')
    const missed = lines.map((line) => Number(/^\[\.\.\.\] (\d+) more/.exec(line)?.[1] ?? 0)).filter((some) => some > 0)
    const shown = lines.length - missed.length
    // MAX_TRACE_TOKENS and TRACE_TOKENS_PER_SECOND of native/report-calls.c.
    expect(shown).toBeLessThan(16_384 + 8192 * seconds)
    expect(shown + missed.reduce((sum, some) => sum + some, 0)).toBeGreaterThan(count)
  })

  test('a host that does not read holds nobody up, and costs no memory', async () => {
    const guest = launch(flood('setInterval(() => {}, 1000)'), { trace: true, deaf: true })
    await guest.output('survived')
    expect(Number(statusOf(guest.child.pid as number).VmHWM?.split(' ')[0])).toBeLessThan(8192)
    await sleep(10)
    guest.child.kill('SIGTERM')
    expect(await guest.end).toMatchObject({ signal: 'SIGTERM' })
  })
})
