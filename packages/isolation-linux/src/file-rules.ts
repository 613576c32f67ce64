import type { Policy } from '@confine-sandbox/contract'
import { ask, type AskingRule, int, quiet, type Rule, violation, when, within } from './rule.ts'
import type { Architecture } from './syscall-numbers.ts'

/** What the guest can do with files after the lock. */
export type FileAccess = 'none' | 'read' | 'write'

/** What a policy's grants come to. */
export function fileAccess({ read = [], write = [], scratchMiB = 0 }: Partial<Pick<Policy, 'read' | 'write' | 'scratchMiB'>>): FileAccess {
  if (write.length > 0 || scratchMiB > 0) return 'write'
  return read.length > 0 ? 'read' : 'none'
}

/**
 * What changes in the table when the guest has files. A filter cannot see paths, so the kernel does these calls whatever they
 * name; which files there are is held by the mount namespace and by Landlock. Kinds of calls that plain use of files does
 * not need stay what they are: links, devices, ownership, extended attributes, watches, descriptors that lead elsewhere.
 */
export function fileRules(
  policy: Parameters<typeof fileAccess>[0],
  architecture: Architecture,
  table: ReadonlyMap<string, Rule>,
): ReadonlyMap<string, Rule> {
  const rules = new Map<string, Rule>()
  const access = fileAccess(policy)
  if (access === 'none') return rules
  const allow = (names: string) => {
    for (const name of names.split(/\s+/)) rules.set(name, { action: 'allow' })
  }

  allow('stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 lseek preadv getcwd')
  rules.set('statfs', ask({ error: 'EACCES', isViolation: false, path: 0, harmlessError: 'ENOENT', locks: true }))
  rules.set('inotify_init1', ask(quiet('ENOSYS')))

  const { read, write } = openFlags(architecture)
  const opens = (flags: number, mode: number, path: number) =>
    ask(
      { ...violation('EACCES'), path, harmlessError: 'ENOENT' },
      [within(flags, read)],
      ...(access === 'write' ? [[within(flags, write), isPlain(mode)]] : []),
    )
  rules.set('open', opens(1, 2, 0))
  rules.set('openat', opens(2, 3, 1))
  if (access === 'read') return rules

  allow('mkdir mkdirat rmdir unlink unlinkat rename renameat truncate ftruncate fsync fdatasync pwrite64 pwritev utimensat')
  rules.set('creat', ask({ ...violation('EACCES'), path: 0 }, [isPlain(1)]))
  rules.set('renameat2', ask({ ...violation('EACCES'), path: 1 }, [int(4, 0)])) // RENAME_WHITEOUT makes a device
  rules.set('chmod', ask({ ...violation('EPERM'), path: 0 }, [isPlain(1)]))
  rules.set('fchmod', ask(violation('EPERM'), [isPlain(1)]))
  rules.set('fchmodat', ask({ ...violation('EPERM'), path: 1 }, [isPlain(2)]))
  // libuv gives a copy the owner of what it copied, and goes on when it cannot.
  rules.set('fchown', ask(quiet('EPERM')))
  // It copies by these where it can, and by read and write where it cannot.
  rules.set('copy_file_range', { action: 'fail', error: 'ENOSYS' })
  rules.set('sendfile', { action: 'fail', error: 'EINVAL' })
  const ioctl = table.get('ioctl') as AskingRule
  rules.set('ioctl', { ...ioctl, answers: [when(1, cloneFile, 'ENOTTY'), ...ioctl.answers] })
  return rules
}

/**
 * A mode without S_ISUID and S_ISGID. As root's guest writes as the owner of the directory, a program of the guest's with one
 * of them would run as that owner for whoever starts it on the host.
 */
function isPlain(argument: number) {
  return { argument, width: 'int', mask: 0o6000, isOneOf: [0] } as const
}

/** FICLONE: what `fs.copyFile` tries first with a flag. */
const cloneFile = 0x40049409

/** What `open` may be told. Not O_PATH, O_TMPFILE, O_DIRECT, O_ASYNC and O_NOATIME. // asm/fcntl.h */
function openFlags(architecture: Architecture): { readonly read: number; readonly write: number } {
  // O_DIRECTORY, O_NOFOLLOW and O_LARGEFILE are where the other one has others.
  const differing = architecture === 'x64' ? 0x10000 | 0x20000 | 0x8000 : 0x4000 | 0x8000 | 0x20000
  // O_NONBLOCK, O_CLOEXEC, O_SYNC
  const read = differing | 0x800 | 0x80000 | 0x101000
  // The access mode, O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND
  return { read, write: read | 0x3 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 }
}
