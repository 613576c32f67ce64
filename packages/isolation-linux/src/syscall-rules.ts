import type { Policy } from '@confine-sandbox/contract'
import { executableMemoryRules } from './executable-memory-rules.ts'
import { fileAccess, fileRules } from './file-rules.ts'
import { type Answer, ask, int, long, quiet, type Rule, violation, when, within } from './rule.ts'
import type { Architecture } from './syscall-numbers.ts'

/**
 * Stands for the descriptor on which the launcher hands its listener over, before exec: the first one that the guest's limit
 * puts out of its reach. native/launch.h, HANDOVER
 */
const handoverDescriptor = 0x7f666468

/** Stands for the guest's own process id, which the launcher alone knows. No process has it. native/launch.h, OWN_PROCESS */
export const ownProcess = 0x7f706964

/** What a call gets that the table does not name, or whose number nobody knows. */
export const defaultRule: Rule = { action: 'ask', answers: [{ error: 'EPERM', isViolation: true }] }

/** What a filter depends on. What is missing is as in the default policy. */
export type FilterPolicy = Pick<Policy, 'threads'> & Partial<Pick<Policy, 'read' | 'write' | 'scratchMiB' | 'jit'>>

/** The table of system calls: what a guest may do, and what happens to the rest. */
export function syscallRules(policy: FilterPolicy, architecture: Architecture): ReadonlyMap<string, Rule> {
  const rules = new Map<string, Rule>()
  const set = (rule: Rule, names: string) => {
    for (const name of names.split(/\s+/)) rules.set(name, rule)
  }

  // Checked by argument. The hottest first: the filter is a list.
  rules.set('futex', ask(violation('ENOSYS'), [int(1, ...futexOperations)]))
  rules.set(
    'mmap',
    ask(
      quiet('ENOMEM'),
      [long(2, { outside: 0x3 }), long(3, { outside: mmapFlags }), long(3, { all: 0x22 })],
      ...(isLoaderFree(policy) ? [[long(2, { outside: 0x7 }), long(3, { outside: libraryFlags }), int(4, loaderDescriptor)]] : []),
    ),
  )
  rules.set('madvise', ask(quiet('EINVAL'), [int(2, 4, 8, 10)])) // MADV_DONTNEED, MADV_FREE, MADV_DONTFORK
  rules.set('epoll_ctl', ask(violation('EPERM'), [int(1, 1, 2, 3)]))
  rules.set(
    'fcntl',
    ask(
      violation('EPERM'),
      [int(1, 1, 2, 3)], // F_GETFD, F_SETFD, F_GETFL
      [int(1, 4), within(2, statusFlags(architecture))], // F_SETFL
    ),
  )
  rules.set('prlimit64', ask(quiet('EPERM'), [long(2, { equals: [0] })])) // a question, no new limit
  rules.set('prctl', ask([when(0, 0x53564d41, 'EINVAL'), violation('EPERM')], [int(0, 15)])) // PR_SET_VMA; PR_SET_NAME
  rules.set('tgkill', ask(violation('EPERM'), [int(0, ownProcess)]))
  rules.set('sendmsg', ask(violation('EPERM'), [int(0, handoverDescriptor)]))
  rules.set('clone', {
    action: 'ask',
    killBits: { argument: 0, bits: newNamespaces },
    ...(policy.threads ? { passes: [[long(0, { equals: threadFlags })]] } : {}),
    answers: [...threadFlags.map((flags) => when(0, flags, 'EAGAIN')), violation('EPERM')],
  })

  set(
    { action: 'allow' },
    `read write readv writev pread64 close fstat munmap brk mprotect
    epoll_pwait epoll_wait epoll_pwait2
    rt_sigreturn rt_sigprocmask rt_sigaction restart_syscall exit exit_group
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time sched_yield getrandom
    getpid gettid getppid getuid geteuid getgid getegid capget uname getrusage umask
    sched_getaffinity sched_getparam sched_getscheduler
    set_robust_list rseq`, // each new thread's first calls: one may have been started before the lock and run after it
  )

  // glibc and libuv fall back to calls whose arguments a filter can see; V8 does without protection keys.
  set({ action: 'fail', error: 'ENOSYS' }, 'clone3 io_uring_setup pkey_alloc')

  set(
    { action: 'kill' },
    `ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_open pidfd_getfd pidfd_send_signal
    mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr statmount listmount
    unshare setns seccomp bpf perf_event_open userfaultfd keyctl add_key request_key io_uring_enter io_uring_register
    kexec_load kexec_file_load init_module finit_module delete_module create_module get_kernel_syms query_module
    reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup nfsservctl lookup_dcookie
    iopl ioperm modify_ldt personality uselib _sysctl sysfs ustat
    settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname
    shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl semtimedop
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    memfd_secret remap_file_pages vmsplice splice tee migrate_pages move_pages mbind set_mempolicy set_mempolicy_home_node
    name_to_handle_at open_by_handle_at fanotify_init fanotify_mark execveat
    lsm_get_self_attr lsm_set_self_attr lsm_list_modules
    getpmsg putpmsg afs_syscall tuxcall security vserver epoll_ctl_old epoll_wait_old`,
  )

  // Questions about itself that node and its libraries ask, with answers that they can live with.
  set(ask(quiet('ENOMEM')), 'mremap mlock mlock2 mlockall munlock munlockall pkey_mprotect')
  set(ask(quiet('ENOSYS')), 'membarrier getcpu')
  set(ask(quiet('ENOTSOCK')), 'getsockname getpeername getsockopt')
  set(ask(quiet('ESPIPE')), 'lseek')
  set(ask(quiet('ECHILD')), 'wait4 waitid')
  set(ask(quiet('EPERM')), 'sysinfo getrlimit sigaltstack getcwd getpriority getgroups poll ppoll shutdown')
  rules.set('socket', ask([when(0, 16, 'EPERM'), violation('EPERM')])) // AF_NETLINK: os.networkInterfaces()
  // Nothing that a guest holds is a terminal, so it is told at once. FIONBIO does what F_SETFL does; FIONREAD asks a stream.
  rules.set('ioctl', {
    ...ask([when(1, 0x541b, 'ENOTTY'), violation('EPERM')], [int(1, 0x5421)]),
    refuses: { conditions: [int(1, ...terminalQuestions)], error: 'ENOTTY' },
  })

  // Everything that names a file.
  const path = (index: number, names: string, more: Partial<Answer> = {}) =>
    set(ask({ error: 'EACCES', isViolation: true, path: index, ...more }), names)
  const looks = { harmlessError: 'ENOENT' } as const
  path(0, 'open stat lstat access readlink', looks)
  path(1, 'openat openat2', looks)
  path(0, 'statfs', { ...looks, locks: true }) // nothing needs it, so it is asked about under every policy
  path(1, 'newfstatat faccessat faccessat2 readlinkat', looks)
  path(1, 'statx', { harmlessError: 'ENOSYS' }) // libuv then asks with fstat, which is allowed
  path(0, 'chdir')
  path(0, 'creat mkdir rmdir unlink rename link symlink mknod chmod chown lchown truncate utime utimes')
  path(0, 'setxattr lsetxattr getxattr lgetxattr listxattr llistxattr removexattr lremovexattr')
  path(1, 'mkdirat unlinkat renameat renameat2 linkat mknodat fchmodat fchmodat2 fchownat utimensat futimesat inotify_add_watch')
  path(1, 'setxattrat getxattrat listxattrat removexattrat file_getattr file_setattr')
  path(2, 'symlinkat')
  path(0, 'execve', { error: 'EPERM' })

  for (const [name, rule] of fileRules(policy, architecture, rules)) rules.set(name, rule)
  if (policy.jit === false) for (const [name, rule] of executableMemoryRules(rules)) rules.set(name, rule)
  return rules
}

/**
 * What Node, libuv, glibc, ICU and OpenSSL look at by themselves. Refused as everything else, but without a word.
 * A slash at the end stands for all that is below.
 */
export const harmlessPaths: readonly string[] = Object.freeze([
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/stat',
  '/proc/loadavg',
  '/proc/uptime',
  '/proc/version_signature',
  '/proc/self/stat',
  '/proc/self/statm',
  '/proc/self/maps',
  '/proc/self/exe',
  '/proc/self/cgroup',
  '/proc/self/mountinfo',
  '/proc/sys/vm/overcommit_memory',
  '/sys/devices/system/cpu/',
  '/sys/devices/system/cpu',
  '/sys/fs/cgroup/',
  '/sys/kernel/mm/transparent_hugepage/',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/timezone',
  '/usr/share/zoneinfo/',
  '/usr/share/zoneinfo',
  '/etc/nsswitch.conf',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/gai.conf',
  '/etc/netsvc.conf',
  '/etc/svc.conf',
  '/etc/ssl/openssl.cnf',
  '/usr/lib/ssl/openssl.cnf',
  '/dev/null',
  '/dev/urandom',
  '/dev/random',
])

/**
 * WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET and WAKE_BITSET, private; the last three on the wall clock;
 * then WAKE and WAIT, which joining threads and the guards of static variables in libstdc++ use. futex(2)
 */
const futexOperations = [128, 129, 131, 132, 133, 137, 138, 393, 265, 1, 0]

/** MAP_PRIVATE, FIXED, ANONYMOUS, NORESERVE, STACK, FIXED_NOREPLACE. Shared memory would not count as the guest's. */
const mmapFlags = 0x2 | 0x10 | 0x20 | 0x4000 | 0x20000 | 0x100000

/**
 * Whether the loader maps libraries without asking, which is a third of what a guest asks while it boots. When it is locked,
 * the descriptor that they had is node's epoll, which cannot be mapped, or closed; and a guest without files gets no other.
 * What is not to have memory to execute keeps asking.
 */
function isLoaderFree(policy: FilterPolicy): boolean {
  return fileAccess(policy) === 'none' && policy.jit !== false
}

/** The first one that is free in a guest: 0 to 2, and the channel. */
const loaderDescriptor = 4

/** MAP_PRIVATE, FIXED, DENYWRITE. Not ANONYMOUS, so what is mapped is a file. */
const libraryFlags = 0x2 | 0x10 | 0x800

/** How glibc and how musl start a thread. */
const threadFlags = [0x3d0f00, 0x7d0f00]

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
const newNamespaces = 0x7e020000

/** O_NONBLOCK, O_APPEND, the access mode, and O_LARGEFILE, which differs. */
function statusFlags(architecture: Architecture): number {
  return 0x800 | 0x400 | 0x3 | (architecture === 'x64' ? 0x8000 : 0x20000)
}

/** TCGETS, TCGETS2, TIOCGWINSZ: what `isatty` and libuv ask. */
const terminalQuestions = [0x5401, 0x802c542a, 0x5413]
