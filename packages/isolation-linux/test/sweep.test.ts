import { describe, expect, test } from 'vitest'
import { compileFilter } from '../src/filter.ts'
import { errorNumbers, type Rule } from '../src/rule.ts'
import { simulate } from '../src/simulator.ts'
import { syscallName, syscallNumber } from '../src/syscall-numbers.ts'
import { defaultRule, syscallRules } from '../src/syscall-rules.ts'
import { architecture, lockPath, program, run } from './support/launch.ts'

// Wrong pointers tell an allowed call (EFAULT, EBADF, EINVAL) from a refused one without doing any harm.
const numbers = Array.from({ length: 1024 }, (_, number) => number)
/** They end or derail the program that makes them; the last two the kernel answers before any filter. */
const notMade = ['exit', 'exit_group', 'rt_sigreturn', 'uretprobe', 'uprobe']

describe.each([
  { fill: -1n, policy: { threads: false } },
  { fill: 0n, policy: { threads: false } },
  { fill: -1n, policy: { threads: true } },
  { fill: -1n, policy: { threads: false, read: ['/usr/share'] } },
  { fill: -1n, policy: { threads: false, scratchMiB: 1 } },
  { fill: -1n, policy: { threads: false, jit: false } },
])('with every argument $fill and $policy', ({ fill, policy }) => {
  const filter = compileFilter(policy, architecture)
  const rules = syscallRules(policy, architecture)
  const args = new Array<bigint>(6).fill(BigInt.asUintN(64, fill))
  const decide = (number: number) => simulate(filter, { number, args, architecture })

  test('every number from 0 to 1023 that kills nobody is answered as the simulator says', async () => {
    const made = numbers.filter((number) => decide(number) !== 'kill' && !notMade.includes(syscallName(number, architecture)))
    const end = await run(
      { file: program('calls'), args: [lockPath, String(fill), ...made.map(String)], env: {} },
      { ...policy, onViolation: 'deny' },
    )
    expect(end).toMatchObject({ code: 0, signal: null })
    const results = new Map(
      end.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number) as [number, number]),
    )
    expect([...results.keys()]).toEqual(made)

    const violations: string[] = []
    for (const number of made) {
      const name = syscallName(number, architecture)
      const decision = decide(number)
      if (decision === 'allow') expect([name, refusals.includes(results.get(number) as number)]).toEqual([name, false])
      else if (typeof decision === 'object') expect([name, results.get(number)]).toEqual([name, -decision.error])
      else {
        const { error, isViolation } = answerTo(rules.get(name) ?? defaultRule, args)
        expect([name, results.get(number)]).toEqual([name, -errorNumbers[error]])
        if (isViolation) violations.push(name)
      }
    }
    expect(end.violations.map(({ syscall }) => syscall)).toEqual(violations)
    expect(violations.length).toBeGreaterThan(700)
  })
})

const refusals = [-errorNumbers.EPERM, -errorNumbers.EACCES, -errorNumbers.ENOSYS]

function answerTo(rule: Rule, args: readonly bigint[]) {
  if (rule.action !== 'ask') throw new Error('nobody is asked')
  const low = (index: number) => Number(BigInt.asUintN(32, args[index] ?? 0n))
  const answer = rule.answers.find(({ when }) => when === undefined || low(when.argument) === when.value)
  if (answer === undefined) throw new Error('there is no answer')
  return answer
}

// The loader may map what it has opened as descriptor 4. In a locked guest there is no file behind any number.
test.each([{}, { read: ['/usr/share'] }, { jit: false }])('nothing that a locked guest holds can be mapped: %o', async (policy) => {
  const mmap = syscallNumber('mmap', architecture)
  const held = [0, 1, 2, 3, 4, 5, 63]
  const made = held.flatMap((fd) => [
    `${mmap},0,4096,1,2,${fd},0`,
    `${mmap},0,4096,5,2066,${fd},0`,
    `${mmap},0,4096,1,1,${fd},0`,
    `${mmap},0,4096,1,3,${fd},0`,
  ])
  const end = await run({ file: program('calls'), args: [lockPath, '0', ...made], env: {} }, policy)
  expect(end).toMatchObject({ code: 0, signal: null, violations: [] })
  const results = end.stdout.trim().split('\n')
  expect(results).toHaveLength(made.length)
  for (const [index, line] of results.entries())
    expect([made[index], line]).toEqual([made[index], expect.stringMatching(isLoaders(made[index] ?? '', policy) ? / -9$/ : / -12$/)])
})

/** The kernel itself answers, EBADF; all else is ENOMEM, the filter's own. */
function isLoaders(call: string, policy: object): boolean {
  return Object.keys(policy).length === 0 && /,(1,2|5,2066),4,0$/.test(call)
}

describe('the kernel ends a guest with SIGSYS that makes', () => {
  const dead = { code: null, signal: 'SIGSYS', stdout: '' }
  const calls = program('calls')
  const make = (...made: string[]) => run({ file: calls, args: [lockPath, '-1', ...made], env: {} }, { onViolation: 'deny' })
  const kills = [...syscallRules({ threads: true }, architecture)].filter(([, rule]) => rule.action === 'kill').map(([name]) => name)

  test('any call of those that only exploits make', async () => {
    const here = kills.flatMap((name) => syscallNumber(name, architecture) ?? [])
    expect(here.length).toBeGreaterThan(80)
    for (let at = 0; at < here.length; at += 8) {
      const some = here.slice(at, at + 8)
      const ends = await Promise.all(some.map((number) => make(`${number}`)))
      for (const [index, end] of ends.entries())
        expect([syscallName(some[index] as number, architecture), end]).toMatchObject([expect.anything(), dead])
    }
  })

  test.each([0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])(
    'clone with the new namespace 0x%s',
    async (flag) => {
      expect(await make(`${syscallNumber('clone', architecture)},${flag | 17},0,0,0,0,0`)).toMatchObject(dead)
    },
  )

  test.runIf(architecture === 'x64').each([
    ['an x32 call', `${0x40000000 + 39}`],
    ['an x32 number that is none', `${0x40000000 + 999}`],
    ['an i386 call: getpid', 'i386,20'],
    ['an i386 call: socketcall', 'i386,102'],
    ['an i386 call: exit', 'i386,1'],
  ])('%s', async (_name, made) => {
    expect(await make(made)).toMatchObject(dead)
  })

  test('and none of these calls is needed by a guest that lives', async () => {
    expect(await make(`${syscallNumber('getpid', architecture)}`)).toMatchObject({
      code: 0,
      stdout: `${syscallNumber('getpid', architecture)} 2\n`,
    })
  })
})
