/** One forbidden act of the guest, as the supervisor (not the guest) saw it. */
export interface Violation {
  /** The system call's name, `openat`; `syscall-1234` when the number has no name here. */
  readonly syscall: string
  /** The path that the call named, when it named one. The guest wrote it: show it, do not open it. */
  readonly path?: string
  /** The call's six raw arguments as hexadecimal numbers, `0xffffff9c`. */
  readonly args: readonly string[]
  /** When the report reached the host, milliseconds since the epoch. */
  readonly time: number
  /** What was done about it: the guest was ended, or the call failed with an errno. */
  readonly action: 'kill' | 'deny'
}
