import type { Limits } from '../index.ts'

/** What keeps a limit, in the words of the guide's page on limits. */
export function limitNote(backend: string, name: keyof Limits): string {
  if (backend === 'linux') return onLinux[name]
  if (everywhere.has(name)) return onLinux[name]
  if (backend === 'macos') return onMacos[name] ?? 'nothing'
  return name === 'memoryMiB' ? 'V8’s heap limit, at three quarters of it' : 'not kept by this backend'
}

const onLinux: Readonly<Record<keyof Limits, string>> = {
  memoryMiB: 'V8’s heap limit at three quarters of it, RLIMIT_DATA where the runtime starts no threads, looks of the supervisor',
  cpuSeconds: 'RLIMIT_CPU',
  lifeMs: 'a timer of the host',
  threads: 'seccomp where the runtime starts none, else RLIMIT_NPROC',
  outputMiB: 'the host, which counts what it reads',
  outputMiBPerSecond: 'the host, which reads no faster',
  fileSizeMiB: 'RLIMIT_FSIZE',
  openFiles: 'RLIMIT_NOFILE',
  nice: 'the nice value of each of its threads',
}

const onMacos: Readonly<Partial<Record<keyof Limits, string>>> = {
  memoryMiB: 'V8’s heap limit at three quarters of it, looks of the watcher',
  cpuSeconds: 'RLIMIT_CPU, looks of the watcher',
  fileSizeMiB: 'RLIMIT_FSIZE',
  openFiles: 'RLIMIT_NOFILE',
}

/** Kept by the host, whatever the backend. */
const everywhere: ReadonlySet<keyof Limits> = new Set(['lifeMs', 'outputMiB', 'outputMiBPerSecond'])
