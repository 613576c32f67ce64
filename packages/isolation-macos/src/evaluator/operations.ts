/** The kinds of thing that an operation is about, which say by what it can be filtered. */
export type Subject = 'path' | 'target' | 'sysctl' | 'service' | 'syscall' | 'nothing'

// The operations that the profiles name or the attempts in the tests ask about. Names from the profiles listed in sources.ts.
const subjects: Readonly<Record<string, Subject>> = {
  default: 'nothing',
  'appleevent-send': 'nothing',
  'darwin-notification-post': 'nothing',
  'distributed-notification-post': 'nothing',
  'dynamic-code-generation': 'nothing',
  'file-chroot': 'path',
  'file-clone': 'path',
  'file-ioctl': 'path',
  'file-issue-extension': 'path',
  'file-link': 'path',
  'file-map-executable': 'path',
  'file-mknod': 'path',
  'file-mount': 'path',
  'file-read-data': 'path',
  'file-read-metadata': 'path',
  'file-read-xattr': 'path',
  'file-revoke': 'path',
  'file-search': 'path',
  'file-test-existence': 'path',
  'file-write-create': 'path',
  'file-write-data': 'path',
  'file-write-flags': 'path',
  'file-write-mode': 'path',
  'file-write-owner': 'path',
  'file-write-setugid': 'path',
  'file-write-times': 'path',
  'file-write-unlink': 'path',
  'file-write-xattr': 'path',
  'iokit-get-properties': 'nothing',
  'iokit-open': 'nothing',
  'ipc-posix-sem': 'nothing',
  'ipc-posix-shm-read-data': 'nothing',
  'ipc-posix-shm-write-create': 'nothing',
  'ipc-sysv-msg': 'nothing',
  'ipc-sysv-sem': 'nothing',
  'ipc-sysv-shm': 'nothing',
  'job-creation': 'nothing',
  lsopen: 'nothing',
  'mach-cross-domain-lookup': 'service',
  'mach-host-special-port-set': 'nothing',
  'mach-lookup': 'service',
  'mach-priv-host-port': 'nothing',
  'mach-priv-task-port': 'target',
  'mach-register': 'service',
  'network-bind': 'nothing',
  'network-inbound': 'nothing',
  'network-outbound': 'nothing',
  'nvram-get': 'nothing',
  'nvram-set': 'nothing',
  'process-exec': 'path',
  'process-exec-interpreter': 'path',
  'process-fork': 'nothing',
  'process-info-dirtycontrol': 'target',
  'process-info-listpids': 'target',
  'process-info-pidinfo': 'target',
  'process-info-setcontrol': 'target',
  signal: 'target',
  'sysctl-read': 'sysctl',
  'sysctl-write': 'sysctl',
  'syscall-unix': 'syscall',
  'system-acct': 'nothing',
  'system-audit': 'nothing',
  'system-fsctl': 'nothing',
  'system-info': 'nothing',
  'system-kext-load': 'nothing',
  'system-privilege': 'nothing',
  'system-sched': 'nothing',
  'system-socket': 'nothing',
  'user-preference-read': 'nothing',
  'user-preference-write': 'nothing',
}

/** Whether a rule may name this: an operation, or with a `*` at its end the beginning of some. */
export function isOperation(name: string): boolean {
  return subjectsOf(name).length > 0
}

/** Whether a rule that names the first is about the second, which is one operation. */
export function covers(named: string, operation: string): boolean {
  if (named === 'default') return !beyondDefault.test(operation)
  return named.endsWith('*') ? operation.startsWith(named.slice(0, -1)) : operation === named
}

// What Seatbelt allows although (deny default) stands there, unless a rule denies it by name: told of process-info*,
// iokit-get-properties and nvram* in chromium-renderer and webkit, of file-map-executable in firefox-map; the JIT and the
// system calls of Node work under profiles that do not speak of them (srt, codex). Whether links and clones are among that
// nobody tells; profiles that ship deny them by name, so here they are.
const beyondDefault =
  /^(?:process-info-|iokit-get-properties$|nvram-|file-(?:map-executable|link|clone)$|dynamic-code-generation$|syscall-unix$)/

/** What the operations of this name are about. */
export function subjectsOf(named: string): readonly Subject[] {
  const found = Object.entries(subjects).filter(([operation]) => operation === named || (named !== 'default' && covers(named, operation)))
  return [...new Set(found.map(([, subject]) => subject))]
}
