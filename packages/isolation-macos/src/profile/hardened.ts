import type { OnViolation } from '@confine-sandbox/contract'
import type { Expression } from '../sbpl/expression.ts'
import { allow, deny, type Rule } from './rule.ts'

/** Flags that a hardened guest's node must be started with: without JIT rights V8 ends the process unless it was told. */
export const hardenedNodeFlags: readonly string[] = ['--jitless']

/** The denials that the hardened profile adds to the head. */
export function hardenedDenials(onViolation: OnViolation): readonly Rule[] {
  return [
    // Stops MAP_JIT. On Intel, code that changes the rights of pages it has was seen to work in spite of it (firefox-map).
    deny('No code that is made at run time.', ['firefox-map', 'v8'], ['dynamic-code-generation']),
    deny(
      'No system call that is not listed below.',
      ['chromium-renderer', 'ladybird'],
      ['syscall-unix'],
      onViolation === 'kill' ? [['with', 'send-signal', 'SIGSYS']] : [],
    ),
  ]
}

/** The system calls of a hardened guest. */
export function hardenedAllowances({ writes }: { writes: boolean }): readonly Rule[] {
  return writes ? [...always, changingFiles] : always
}

const always: readonly Rule[] = [
  allow(
    'The system calls of dyld, libSystem, libuv and V8; execve is the one with which sandbox-exec starts node.',
    ['chromium-common', 'chromium-renderer', 'ladybird'],
    ['syscall-unix'],
    numbers(systemCalls()),
  ),
]

const changingFiles = allow(
  'The system calls with which libuv changes files, as the policy grants some to be written.',
  ['chromium-common', 'ladybird'],
  ['syscall-unix'],
  numbers([
    ...[
      'chmod',
      'fchmod',
      'fchmodat',
      'fdatasync',
      'fsync',
      'fsync_nocancel',
      'ftruncate',
      'mkdir',
      'mkdirat',
      'pwrite',
      'pwrite_nocancel',
    ],
    ...['pwritev', 'rename', 'renameat', 'renameatx_np', 'rmdir', 'setattrlist', 'setattrlistat', 'fsetattrlist', 'truncate', 'unlink'],
    ...['unlinkat', 'utimes', 'futimes'],
  ]),
)

function numbers(names: readonly string[]): readonly Expression[] {
  return names.map((name) => ['syscall-number', `SYS_${name}`])
}

// Left out of what Chromium and Ladybird list: changing files (mkdir, rename, rmdir, unlink, chmod, ftruncate, flock), chdir,
// sockets of one's own (socket, connect, necp_*), gethostuuid, posix_spawn, mlock, quotactl.
// Added to it, because here dyld itself runs under the profile: execve, map_with_linking_np; for libuv: kevent, readv,
// recvmsg, sendmsg, preadv. The names are those of XNU's bsd/kern/syscalls.master.
function systemCalls(): readonly string[] {
  return [
    ...['__disable_threadsignal', '__mac_syscall', '__pthread_kill', '__pthread_markcancel', '__pthread_sigmask', '__semwait_signal'],
    ...['__semwait_signal_nocancel', 'abort_with_payload', 'access', 'bsdthread_create', 'bsdthread_ctl', 'bsdthread_register'],
    ...['bsdthread_terminate', 'change_fdguard_np', 'close', 'close_nocancel', 'crossarch_trap', 'csops', 'csops_audittoken', 'csrctl'],
    ...['dup', 'dup2', 'execve', 'exit', 'faccessat', 'fcntl', 'fcntl_nocancel', 'fgetattrlist', 'fgetxattr', 'fsgetpath', 'fstat64'],
    ...['fstatat64', 'fstatfs64', 'getattrlist', 'getattrlistbulk', 'getaudit_addr', 'getdirentries64', 'getegid', 'getentropy'],
    ...['geteuid', 'getfsstat64', 'getgid', 'getpeername', 'getpid', 'getppid', 'getpriority', 'getrlimit', 'getrusage', 'getsockname'],
    ...['getsockopt', 'gettid', 'gettimeofday', 'getuid', 'getxattr', 'guarded_close_np', 'guarded_open_np', 'ioctl', 'issetugid'],
    ...['kdebug_trace', 'kdebug_trace64', 'kdebug_trace_string', 'kdebug_typefilter', 'kevent', 'kevent64', 'kevent_id', 'kevent_qos'],
    ...['kqueue', 'listxattr', 'lseek', 'lstat64', 'madvise', 'map_with_linking_np', 'mmap', 'mprotect', 'mremap_encrypted', 'msync'],
    ...['munmap', 'open', 'open_dprotected_np', 'open_nocancel', 'openat', 'openat_nocancel', 'os_fault_with_payload', 'pathconf'],
    ...['pipe', 'poll', 'pread', 'pread_nocancel', 'preadv', 'proc_info', 'proc_rlimit_control', 'process_policy', 'psynch_cvbroad'],
    ...['psynch_cvclrprepost', 'psynch_cvsignal', 'psynch_cvwait', 'psynch_mutexdrop', 'psynch_mutexwait', 'psynch_rw_downgrade'],
    ...['psynch_rw_longrdlock', 'psynch_rw_rdlock', 'psynch_rw_unlock', 'psynch_rw_unlock2', 'psynch_rw_upgrade', 'psynch_rw_wrlock'],
    ...['psynch_rw_yieldwrlock', 'read', 'read_nocancel', 'readlink', 'readv', 'recvfrom_nocancel', 'recvmsg', 'select'],
    ...['select_nocancel', 'sem_close', 'sem_open', 'sem_post', 'sem_wait', 'sendmsg', 'sendmsg_nocancel', 'sendto', 'sendto_nocancel'],
    ...['setrlimit', 'setsockopt', 'shared_region_check_np', 'shared_region_map_and_slide_2_np', 'shm_open', 'shutdown', 'sigaction'],
    ...['sigaltstack', 'sigprocmask', 'sigreturn', 'socketpair', 'stat64', 'statfs64', 'sysctl', 'sysctlbyname', 'thread_selfid'],
    ...['ulock_wait', 'ulock_wake', 'umask', 'work_interval_ctl', 'workq_kernreturn', 'workq_open', 'write', 'write_nocancel', 'writev'],
  ]
}
