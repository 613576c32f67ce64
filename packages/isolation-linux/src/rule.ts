/** Error numbers by name; the same on x64 and arm64. */
export const errorNumbers = Object.freeze({
  EPERM: 1,
  ENOENT: 2,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EINVAL: 22,
  ENOTTY: 25,
  ESPIPE: 29,
  ENOSYS: 38,
  ENOTSOCK: 88,
})

type ErrorName = keyof typeof errorNumbers

/** What the kernel compares before it lets a call pass. All conditions of one alternative must hold. */
export interface Condition {
  /** Index of the argument. */
  readonly argument: number
  /** `int`: the kernel reads the low word only. `long`: it reads both, and the high one must be zero. */
  readonly width: 'int' | 'long'
  /** Bits to look at. @default all */
  readonly mask?: number
  /** What those bits may be. */
  readonly isOneOf: readonly number[]
}

/** What the supervisor answers to a call once the guest is locked. */
export interface Answer {
  readonly error: ErrorName
  /** A violation is reported and, by default, ends the guest. Everything else just fails. */
  readonly isViolation: boolean
  /** Which argument is a path. */
  readonly path?: number
  /** The call only looks: with a path that Node itself likes to look at it is harmless, and this is the error. */
  readonly harmlessError?: ErrorName
  /** Before the lock the call may be the one that asks for it. */
  readonly locks?: boolean
  /** The answer is for calls with this low word of an argument; the first that fits is given. */
  readonly when?: { readonly argument: number; readonly value: number }
}

/** What becomes of one system call. */
export type Rule =
  /** Done by the kernel, from the first instruction to the last. */
  | { readonly action: 'allow' }
  /** Only an exploit makes it: ends the process at once. */
  | { readonly action: 'kill' }
  /** Fails at once, from the first instruction to the last. */
  | { readonly action: 'fail'; readonly error: ErrorName }
  | AskingRule

/**
 * Kills when one of the bits is set; fails at once when all conditions of the refusal hold; passes when an alternative holds;
 * else goes to the supervisor.
 */
export interface AskingRule {
  readonly action: 'ask'
  readonly killBits?: { readonly argument: number; readonly bits: number }
  readonly refuses?: { readonly conditions: readonly Condition[]; readonly error: ErrorName }
  readonly passes?: readonly (readonly Condition[])[]
  readonly answers: readonly Answer[]
}

/** A rule that lets a call pass when one of the alternatives holds, and asks otherwise. */
export function ask(answers: Answer | readonly Answer[], ...passes: readonly (readonly Condition[])[]): AskingRule {
  return { action: 'ask', passes, answers: Array.isArray(answers) ? answers : [answers as Answer] }
}

/** The call fails, and nobody hears of it. */
export function quiet(error: ErrorName): Answer {
  return { error, isViolation: false }
}

/** The same for calls with this low word of an argument. */
export function when(argument: number, value: number, error: ErrorName): Answer {
  return { error, isViolation: false, when: { argument, value } }
}

/** The call is reported, and by default the end of the guest. */
export function violation(error: ErrorName): Answer {
  return { error, isViolation: true }
}

/** An argument is one of these. */
export function int(argument: number, ...isOneOf: readonly number[]): Condition {
  return { argument, width: 'int', isOneOf }
}

/** An argument has no bit outside of these, has them all, or is one of these. */
export function long(argument: number, is: { outside: number } | { all: number } | { equals: readonly number[] }): Condition {
  if ('outside' in is) return { argument, width: 'long', mask: ~is.outside >>> 0, isOneOf: [0] }
  if ('all' in is) return { argument, width: 'long', mask: is.all, isOneOf: [is.all] }
  return { argument, width: 'long', isOneOf: is.equals }
}

/** The same as `long` with `outside`, for an argument of which the kernel reads the low word only. */
export function within(argument: number, bits: number): Condition {
  return { argument, width: 'int', mask: ~bits >>> 0, isOneOf: [0] }
}
