import { getSystemErrorName } from 'node:util'
import { type Architecture, syscallName } from './syscall-numbers.ts'

/** One traced system call, as the supervisor saw it. */
export interface TracedCall {
  readonly number: number
  /** Six raw arguments as hexadecimal numbers, `0x1`. */
  readonly args: readonly string[]
  /** The thread that made it, as the host numbers it. */
  readonly thread: number
  /** It went on, failed with an error, was the lock, or ended the guest. */
  readonly fate: 'done' | 'failed' | 'locked' | 'killed'
  /** The error number that it failed with. */
  readonly error: number
  /** The path that it named. */
  readonly path?: string
  /** The first bytes that it wrote, a character each. */
  readonly data?: string
}

/** A traced call as a line for people, as strace would write it. What a call that went on returned nobody has seen. */
export function traceText(call: TracedCall, architecture: Architecture): string {
  const name = syscallName(call.number, architecture)
  const kinds = signatures.get(name) ?? 'xxxxxx'
  const args = kinds.split('').map((kind, index) => show(kind as Kind, BigInt(call.args[index] ?? '0x0'), call))
  return `[${call.thread}] ${name}(${args.join(', ')})${outcome(call)}\n`
}

/** The line in place of calls that were too many to be shown. */
export function missedText(count: number): string {
  return `[...] ${count} more system calls, too many to be shown\n`
}

function outcome({ fate, error }: TracedCall): string {
  if (fate === 'done') return ''
  if (fate === 'killed') return ' = ? (forbidden: the guest is ended)'
  return ` = -1 ${errorName(error)} (${fate === 'locked' ? 'the guest is locked' : 'refused'})`
}

function errorName(error: number): string {
  return error > 0 ? getSystemErrorName(-error) : String(error)
}

/** i: int, d: directory descriptor, n: size, x: flags or an address, s: the path, w: the data that is written. */
type Kind = 'i' | 'd' | 'n' | 'x' | 's' | 'w'

function show(kind: Kind, value: bigint, { path, data }: TracedCall): string {
  if (kind === 's' && path !== undefined) return quote(path)
  if (kind === 'w' && data !== undefined) return data.length < shownBytes ? quote(data) : `${quote(data)}...`
  if (kind === 'n') return String(value)
  const low = BigInt.asIntN(32, value)
  if (kind === 'd' && low === -100n) return 'AT_FDCWD'
  if (kind === 'i' || kind === 'd') return String(low)
  return value === 0n ? '0' : `0x${value.toString(16)}`
}

/** Whatever a guest wrote, one line of it moves no cursor. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** native/notify.c, MAX_DATA */
const shownBytes = 32

/** What the arguments of the calls that a node makes are. */
const signatures: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '': 'getpid gettid getppid getuid geteuid getgid getegid sched_yield fork vfork setsid getpgrp restart_syscall rt_sigreturn inotify_init',
    i: 'close exit exit_group dup fchdir epoll_create epoll_create1 inotify_init1 umask fsync fdatasync sched_get_priority_max sched_get_priority_min',
    ii: 'dup2 kill tkill listen shutdown ftruncate eventfd2 timerfd_create memfd_secret',
    iii: 'tgkill dup3 socket close_range',
    x: 'brk uname sysinfo time set_tid_address pipe times',
    s: 'chdir rmdir unlink',
    is: 'inotify_add_watch',
    ix: 'fstat fstatfs clock_gettime clock_getres getrusage getrlimit setrlimit sched_getparam',
    xi: 'eventfd getitimer',
    xx: 'arch_prctl gettimeofday nanosleep pipe2 capget capset sigaltstack clone3 getgroups',
    sx: 'stat lstat access readlink chmod mkdir creat statfs rename link symlink truncate',
    xn: 'munmap set_robust_list mlock munlock',
    xns: 'symlinkat',
    sxx: 'open execve chown lchown',
    iix: 'ioctl fcntl',
    ixn: 'read readv writev getdents64',
    iwn: 'write',
    ixi: 'connect bind accept getsockname getpeername',
    xnx: 'mprotect getrandom mlock2',
    xni: 'madvise membarrier',
    ixx: 'sched_setscheduler sendmsg recvmsg rt_sigqueueinfo',
    inx: 'sched_getaffinity sched_setaffinity lseek',
    xxx: 'getresuid getresgid getcpu poll',
    dsx: 'mkdirat unlinkat faccessat',
    dsxx: 'openat openat2 newfstatat readlinkat fchmodat faccessat2',
    dsxxx: 'statx fchownat utimensat linkat renameat renameat2',
    ixxn: 'rt_sigaction rt_sigprocmask',
    ixix: 'epoll_wait wait4 clock_nanosleep',
    iiix: 'epoll_ctl socketpair',
    iixx: 'prlimit64',
    ixnn: 'pread64 pwrite64 sendfile',
    xnix: 'rseq',
    iiixx: 'setsockopt getsockopt',
    ixxxx: 'prctl waitid',
    xxxxx: 'clone mremap',
    ixiixn: 'epoll_pwait epoll_pwait2',
    ixnxxi: 'sendto recvfrom',
    xiixxi: 'futex',
    xnxxin: 'mmap',
  }).flatMap(([kinds, names]) => names.split(' ').map((name) => [name, kinds] as const)),
)
