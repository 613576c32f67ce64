import { expect, test } from 'vitest'
import { type Architecture, syscallNames, syscallNumber } from '../src/syscall-numbers.ts'
import { type FilterPolicy, harmlessPaths, syscallRules } from '../src/syscall-rules.ts'

const architectures: readonly Architecture[] = ['x64', 'arm64']

test.each(architectures)('on %s every name of the table is a system call somewhere', (architecture) => {
  for (const name of syscallRules({ threads: true }, architecture).keys()) {
    expect([name, architectures.some((other) => syscallNumber(name, other) !== undefined)]).toEqual([name, true])
  }
})

test.each(architectures)('on %s nothing is allowed but what is listed here', (architecture) => {
  const rules = syscallRules({ threads: false }, architecture)
  const allowed = syscallNames(architecture).filter((name) => rules.get(name)?.action === 'allow')
  expect(allowed.sort().join(' ')).toBe(
    [
      'brk capget clock_getres clock_gettime clock_nanosleep close epoll_pwait epoll_pwait2',
      ...(architecture === 'x64' ? ['epoll_wait'] : []),
      'exit exit_group fstat getegid geteuid getgid getpid getppid getrandom getrusage gettid gettimeofday getuid mprotect munmap nanosleep',
      'pread64 read readv restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_getparam sched_getscheduler',
      'sched_yield set_robust_list',
      ...(architecture === 'x64' ? ['time'] : []),
      'umask uname write writev',
    ].join(' '),
  )
})

test.each(architectures)('on %s threads change the rule of clone and no other', (architecture) => {
  const [without, withThreads] = [false, true].map((threads) => syscallRules({ threads }, architecture))
  const changed = [...(withThreads ?? [])].filter(([name, rule]) => JSON.stringify(rule) !== JSON.stringify(without?.get(name)))
  expect(changed.map(([name]) => name)).toEqual(['clone'])
})

test.each(architectures)('on %s files add these calls and no others', (architecture) => {
  const allowed = (policy: FilterPolicy) => {
    const rules = syscallRules(policy, architecture)
    return syscallNames(architecture).filter((name) => {
      const rule = rules.get(name)
      return rule?.action === 'allow' || (rule?.action === 'ask' && (rule.passes ?? []).length > 0)
    })
  }
  const added = (from: FilterPolicy, to: FilterPolicy) =>
    allowed(to)
      .filter((name) => !allowed(from).includes(name))
      .sort()
      .join(' ')
  const [none, read, write] = [{ threads: false }, { threads: false, read: ['/x'] }, { threads: false, write: ['/x'] }]
  const x64 = (names: string) => (architecture === 'x64' ? `${names} ` : '')
  expect(added(none, read)).toBe(
    `${x64('access')}faccessat faccessat2 getcwd getdents64 lseek ${x64('lstat')}newfstatat ${x64('open')}openat preadv ` +
      `${x64('readlink')}readlinkat ${x64('stat')}statx`,
  )
  expect(added(read, write)).toBe(
    `${x64('chmod creat')}fchmod fchmodat fdatasync fsync ftruncate ${x64('mkdir')}mkdirat pwrite64 pwritev ${x64('rename')}renameat renameat2 ` +
      `${x64('rmdir')}truncate ${x64('unlink')}unlinkat utimensat`,
  )
  expect(allowed({ threads: false, scratchMiB: 1 })).toEqual(allowed(write))
  expect(allowed({ threads: false, read: [], write: [], scratchMiB: 0, jit: true })).toEqual(allowed(none))
})

test('every call that takes a path has one of its arguments named', () => {
  const rules = syscallRules({ threads: false }, 'x64')
  const pathCalls =
    /^(open|stat|lstat|newfstatat|statx|access|faccess|readlink|mkdir|rmdir|unlink|rename|link|symlink|mknod|chmod|chown|lchown|fchmodat|fchownat|truncate|ut|.*xattrat|l?(set|get|list|remove)xattr|file_|execve$|chdir|creat|statfs|inotify_add)/
  for (const name of syscallNames('x64').filter((name) => pathCalls.test(name))) {
    const rule = rules.get(name)
    if (rule?.action === 'kill' || name === 'open_by_handle_at') continue
    expect([name, rule?.action === 'ask' && rule.answers.every(({ path }) => path !== undefined)]).toEqual([name, true])
  }
})

test('only statfs can be the lock', () => {
  for (const [name, rule] of syscallRules({ threads: false }, 'x64')) {
    const locks = rule.action === 'ask' && rule.answers.some((answer) => answer.locks)
    expect([name, locks]).toEqual([name, name === 'statfs'])
  }
})

test('harmless paths are absolute, plain, and none of them is worth reading', () => {
  for (const path of harmlessPaths) expect(path).toMatch(/^(\/[\w.-]+)+\/?$/)
  expect(harmlessPaths).not.toContain('/etc/passwd')
  expect(harmlessPaths.filter((path) => path.includes('..'))).toEqual([])
})
