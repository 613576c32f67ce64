import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { disassemble } from '../src/disassembler.ts'
import { auditArchitectures, compileFilter } from '../src/filter.ts'
import { type Condition, errorNumbers, type Rule } from '../src/rule.ts'
import { type SimulatedAction, simulate } from '../src/simulator.ts'
import { type Architecture, syscallName, syscallNames, syscallNumber } from '../src/syscall-numbers.ts'
import { ownProcess, syscallRules } from '../src/syscall-rules.ts'

const architectures: readonly Architecture[] = ['x64', 'arm64']
const policies = {
  plain: { threads: false },
  threads: { threads: true },
  read: { threads: false, read: ['/x'] },
  write: { threads: false, write: ['/x'] },
  hardened: { threads: false, jit: false },
}
const profiles = architectures.flatMap((architecture) =>
  Object.entries(policies).map(([profile, policy]) => ({ architecture, profile, policy })),
)

describe.each(profiles)('the $profile filter of $architecture', ({ architecture, profile, policy }) => {
  const { threads } = policy
  const program = compileFilter(policy, architecture)
  const rules = syscallRules(policy, architecture)
  const call = (name: string, ...args: bigint[]) =>
    simulate(program, { number: syscallNumber(name, architecture) as number, args, architecture })

  test('reads as it did', async () => {
    await expect(disassemble(program, architecture)).toMatchFileSnapshot(
      `filters/${architecture}${profile === 'plain' ? '' : `-${profile}`}.txt`,
    )
  })

  test('is within what the kernel takes', () => {
    expect(program.length).toBeLessThan(4096)
  })

  test('kills what is made for another architecture', () => {
    const foreign = [...Object.values(auditArchitectures), 0x40000003, 0x40000028, 0, 0xffffffff].filter(
      (number) => number !== auditArchitectures[architecture],
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...foreign),
        fc.integer({ min: 0, max: 1023 }),
        fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 6 }),
        (other, number, args) => {
          expect(simulate(program, { number, args, architecture: other })).toBe('kill')
        },
      ),
    )
  })

  test('kills every x32 number, and hands negative numbers to the supervisor where there is no x32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x40000000, max: 0xffffffff }), (number) => {
        expect(simulate(program, { number, architecture })).toBe(architecture === 'x64' ? 'kill' : 'notify')
      }),
    )
  })

  test('decides about any call as the table says', () => {
    const numbers = fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 1023 }) },
      { weight: 9, arbitrary: fc.constantFrom(...syscallNames(architecture)).map((name) => syscallNumber(name, architecture) as number) },
    )
    fc.assert(
      fc.property(numbers, fc.array(argument(rules), { minLength: 6, maxLength: 6 }), (number, args) => {
        expect(simulate(program, { number, args, architecture })).toEqual(decideByTable(rules.get(syscallName(number, architecture)), args))
      }),
      { numRuns: 20_000 },
    )
  })

  test('compares 32-bit arguments by the low word alone', () => {
    // AT_FDCWD and the like reach the kernel sign-extended on arm64 and zero-extended on x64.
    expect(call('fcntl', 0n, 3n)).toBe('allow')
    expect(call('fcntl', 0n, 0xffffffff_00000003n)).toBe('allow')
    expect(call('fcntl', 0n, 0n)).toBe('notify')
    expect(call('prctl', 0x123_0000000fn)).toBe('allow')
    expect(call('tgkill', BigInt(ownProcess), 9n)).toBe('allow')
    expect(call('tgkill', 2n, 9n)).toBe('notify')
    expect(call('tgkill', 1n, 9n)).toBe('notify')
    expect(call('madvise', 0n, 0n, 4n)).toBe('allow')
    expect(call('madvise', 0n, 0n, 12n)).toBe('notify')
  })

  test('compares mmap by both words', () => {
    const anonymous = 0x22n
    expect(call('mmap', 0n, 4096n, 3n, anonymous)).toBe('allow')
    expect(call('mmap', 0n, 4096n, 0n, anonymous | 0x4000n)).toBe('allow')
    expect(call('mmap', 0n, 4096n, 7n, anonymous)).toEqual(profile === 'hardened' ? { error: errorNumbers.ENOMEM } : 'notify') // executable
    expect(call('mmap', 0n, 4096n, 3n, 0x21n)).toBe('notify') // shared
    expect(call('mmap', 0n, 4096n, 3n, 0x23n)).toBe('notify')
    expect(call('mmap', 0n, 4096n, 1n, 2n, 5n)).toBe('notify') // of a file
    expect(call('mmap', 0n, 4096n, 3n, anonymous | 0x100n)).toBe('notify') // MAP_GROWSDOWN
    expect(call('mmap', 0n, 4096n, 3n | (1n << 32n), anonymous)).toBe('notify')
    expect(call('mmap', 0n, 4096n, 3n, anonymous | (1n << 32n))).toBe('notify')
  })

  test('lets the loader map its descriptor, privately, where the guest has no other file', () => {
    const expected = ['read', 'write', 'hardened'].includes(profile) ? 'notify' : 'allow'
    for (const [protection, flags] of [
      [1n, 0x802n],
      [5n, 0x812n],
      [3n, 0x812n],
    ] as const)
      expect(call('mmap', 0n, 4096n, protection, flags, 4n)).toBe(expected)
    expect(call('mmap', 0n, 4096n, 5n, 0x812n, 0xffffffff_00000004n)).toBe(expected)
    for (const flags of [0x1n, 0x3n, 0x801n, 0x803n, 0x8002n, 0x2002n, 0x102n, 0x40002n, 0x2n | (1n << 32n)])
      expect(call('mmap', 0n, 4096n, 1n, flags, 4n)).toBe('notify') // shared, populated, locked, growing, huge
    for (const descriptor of [0n, 1n, 2n, 3n, 5n, 0xffffffffn]) expect(call('mmap', 0n, 4096n, 1n, 2n, descriptor)).toBe('notify')
    if (profile !== 'hardened') expect(call('mmap', 0n, 4096n, 7n, 0x22n, 4n)).toBe('notify') // anonymous, to execute
    expect(call('mmap', 0n, 4096n, 1n | (1n << 32n), 2n, 4n)).toBe('notify')
    expect(call('mmap', 0n, 4096n, 0x1000001n, 2n, 4n)).toBe('notify') // PROT_GROWSDOWN
  })

  test('lets nothing be cloned but a thread, and that only when the policy has threads', () => {
    const expected = threads ? 'allow' : 'notify'
    expect(call('clone', 0x3d0f00n)).toBe(expected) // glibc
    expect(call('clone', 0x7d0f00n)).toBe(expected) // musl
    expect(call('clone', 0x3d0f00n | (1n << 32n))).toBe('notify')
    expect(call('clone', 0x3d0f00n & ~0x10000n)).toBe('notify') // without CLONE_THREAD
    expect(call('clone', 0x1200011n)).toBe('notify') // fork()
    for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
      expect(call('clone', 0x11n | flag)).toBe('kill')
      expect(call('clone', 0x3d0f00n | flag)).toBe('kill')
    }
    expect(call('clone3')).toEqual({ error: errorNumbers.ENOSYS })
  })

  test('sets no other status flags than libuv does', () => {
    const largeFile = architecture === 'x64' ? 0x8000n : 0x20000n
    const foreignLargeFile = architecture === 'x64' ? 0x20000n : 0x8000n
    expect(call('fcntl', 3n, 4n, 0x800n | 0x2n | largeFile)).toBe('allow')
    expect(call('fcntl', 3n, 4n, foreignLargeFile)).toBe('notify')
    expect(call('fcntl', 3n, 4n, 0x2000n)).toBe('notify') // O_ASYNC
  })

  test('asks about a limit and sets none', () => {
    expect(call('prlimit64', 0n, 7n, 0n, 0x7fff0000n)).toBe('allow')
    expect(call('prlimit64', 0n, 7n, 0x7fff0000n, 0n)).toBe('notify')
    expect(call('prlimit64', 0n, 7n, 1n << 32n, 0n)).toBe('notify')
  })
})

describe.each(architectures)('the filter of %s', (architecture) => {
  const filters = Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, compileFilter(policy, architecture)]))
  const call = (profile: keyof typeof policies, name: string, ...args: bigint[]) =>
    simulate(filters[profile] as ReturnType<typeof compileFilter>, {
      number: syscallNumber(name, architecture) as number,
      args,
      architecture,
    })
  const here = -100n & 0xffffffffn
  const [directory, noFollow, direct] = architecture === 'x64' ? [0x10000n, 0x20000n, 0x4000n] : [0x4000n, 0x8000n, 0x10000n]

  test('opens to read, or to write, or not at all, as the policy says', () => {
    const open = (profile: keyof typeof policies, flags: bigint, mode = 0n) => call(profile, 'openat', here, 1n, flags, mode)
    for (const flags of [0x80000n, 0x80000n | directory | 0x800n, noFollow])
      expect([open('plain', flags), open('read', flags), open('write', flags)]).toEqual(['notify', 'allow', 'allow'])
    for (const flags of [1n, 2n, 0x241n, 0x40n, 0x200n, 0x441n, 0xc1n])
      expect([open('plain', flags), open('read', flags), open('write', flags)]).toEqual(['notify', 'notify', 'allow'])
    // O_PATH, O_TMPFILE, O_DIRECT, O_ASYNC, O_NOATIME
    for (const flags of [0x200000n, 0x410001n, 0x404001n, direct, 0x2000n, 0x40000n])
      expect([open('read', flags), open('write', flags)]).toEqual(['notify', 'notify'])
    expect(open('read', 0x123_00000000n)).toBe('allow')
  })

  test('makes no program that runs as its owner', () => {
    for (const mode of [0o4755n, 0o2755n, 0o6000n, 0x10000n | 0o4755n]) {
      expect(call('write', 'openat', here, 1n, 0x41n, mode)).toBe('notify')
      expect(call('write', 'fchmod', 5n, mode)).toBe('notify')
      expect(call('write', 'fchmodat', here, 1n, mode)).toBe('notify')
      if (architecture === 'x64') expect([call('write', 'chmod', 1n, mode), call('write', 'creat', 1n, mode)]).toEqual(['notify', 'notify'])
    }
    expect(call('write', 'fchmod', 5n, 0o100755n)).toBe('allow')
    expect(call('write', 'openat', here, 1n, 0x41n, 0o1777n)).toBe('allow')
    expect(call('read', 'fchmod', 5n, 0o755n)).toBe('notify')
  })

  test('lets a rename make nothing', () => {
    expect(call('write', 'renameat2', here, 1n, here, 1n, 0n)).toBe('allow')
    for (const flags of [1n, 2n, 4n]) expect(call('write', 'renameat2', here, 1n, here, 1n, flags)).toBe('notify')
  })

  test('gives a hardened guest no memory to execute', () => {
    const refused = { error: errorNumbers.ENOMEM }
    for (const protection of [4n, 5n, 7n, 0x123_00000007n]) {
      expect(call('hardened', 'mprotect', 0n, 4096n, protection)).toEqual(refused)
      expect(call('hardened', 'mmap', 0n, 4096n, protection, 0x22n)).toEqual(refused)
      expect(call('hardened', 'mmap', 0n, 4096n, protection, 0x21n)).toEqual(refused)
      expect(call('hardened', 'mmap', 0n, 4096n, protection, 0x2n)).toBe('notify') // of a file: the loader's, before the lock
      expect(call('hardened', 'pkey_mprotect', 0n, 4096n, protection)).toEqual(refused)
      expect(call('plain', 'mprotect', 0n, 4096n, protection)).toBe('allow')
    }
    expect(call('hardened', 'mprotect', 0n, 4096n, 3n)).toBe('allow')
    expect(call('hardened', 'mmap', 0n, 4096n, 3n, 0x22n)).toBe('allow')
    expect(call('hardened', 'mprotect', 0n, 4096n, 3n | (1n << 24n))).toBe('notify') // PROT_GROWSDOWN
  })
})

/** What the table says, worked out without the compiler. */
function decideByTable(rule: Rule | undefined, args: readonly bigint[]): SimulatedAction {
  if (rule === undefined) return 'notify'
  if (rule.action === 'fail') return { error: errorNumbers[rule.error] }
  if (rule.action !== 'ask') return rule.action
  const low = (index: number) => (args[index] as bigint) & 0xffffffffn
  const high = (index: number) => (args[index] as bigint) >> 32n
  if (rule.killBits !== undefined && (low(rule.killBits.argument) & BigInt(rule.killBits.bits)) !== 0n) return 'kill'
  const holds = ({ argument, width, mask = 0xffffffff, isOneOf }: Condition) =>
    isOneOf.map(BigInt).includes(low(argument) & BigInt(mask)) && (width === 'int' || high(argument) === 0n)
  if (rule.refuses?.conditions.every(holds)) return { error: errorNumbers[rule.refuses.error] }
  return rule.passes?.some((conditions) => conditions.every(holds)) ? 'allow' : 'notify'
}

/** Numbers that matter to some rule, alone and with dirt around them, and any others. */
function argument(rules: ReadonlyMap<string, Rule>): fc.Arbitrary<bigint> {
  const known = [...rules.values()].flatMap((rule) =>
    rule.action === 'ask'
      ? (rule.passes ?? []).flat().flatMap(({ isOneOf, mask }) => [...isOneOf, ...(mask === undefined ? [] : [mask])])
      : [],
  )
  const small = fc.constantFrom(0, 1, 2, 3, 4, ...known).map(BigInt)
  return fc.oneof(
    { weight: 4, arbitrary: small },
    { weight: 1, arbitrary: fc.tuple(small, fc.integer({ min: 0, max: 31 })).map(([value, bit]) => value ^ (1n << BigInt(bit))) },
    { weight: 1, arbitrary: fc.tuple(small, fc.bigInt(0n, 2n ** 32n - 1n)).map(([value, word]) => (word << 32n) | (value & 0xffffffffn)) },
    { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
  )
}
