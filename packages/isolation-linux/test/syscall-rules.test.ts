import { expect, test } from 'vitest'
import { type Architecture, syscallNames, syscallNumber } from '../src/syscall-numbers.ts'
import { harmlessPaths, syscallRules } from '../src/syscall-rules.ts'

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

test('only opening can be the lock', () => {
  for (const [name, rule] of syscallRules({ threads: false }, 'x64')) {
    const opens = rule.action === 'ask' && rule.answers.some((answer) => answer.opens)
    expect([name, opens]).toEqual([name, ['open', 'openat', 'openat2'].includes(name)])
  }
})

test('harmless paths are absolute, plain, and none of them is worth reading', () => {
  for (const path of harmlessPaths) expect(path).toMatch(/^(\/[\w.-]+)+\/?$/)
  expect(harmlessPaths).not.toContain('/etc/passwd')
  expect(harmlessPaths.filter((path) => path.includes('..'))).toEqual([])
})
