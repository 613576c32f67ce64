import { statSync } from 'node:fs'
import { ConfineError } from '@confine-sandbox/contract'
import { type Code, codeMessage, codeOf, guestProgram, maxLearnedBytes } from '@confine-sandbox/guest'
import type { CheckedOptions } from './options.ts'

/**
 * Whether a guest is sent what V8 knows of its texts. Not over a listening transport, on whose socket it could not wait for it, and
 * not where its V8 has other flags than this one: it would refuse it.
 */
export function takesCode({ transport, policy }: CheckedOptions): boolean {
  return transport === 'inherited' && !policy.hardened
}

/**
 * What the guest reads first (read-code.ts in the package guest). V8 is asked once in the life of this process, while the first
 * guest boots; again for a file that was changed meanwhile, as the guest reads the file itself.
 */
export function guestCode({ runtime: { bundle } }: CheckedOptions): Uint8Array {
  try {
    const known = knownOf(bundle)
    known.message ??= parsed(bundle)
    return known.message
  } catch {
    // A file that is not there any more: the guest will say so.
    return codeMessage({})
  }
}

/**
 * Whether the guest that is to be launched is asked what V8 learns there while it runs a program of ours, before anything untrusted is sent: the
 * second one of its runtime, as many hosts start no more than one, or one that is made ahead of its use. One answer is enough, and where none
 * comes, a later guest is asked.
 * @returns what takes the answer.
 */
export function askForCode(options: CheckedOptions): CodeAnswer | undefined {
  const { bundle } = options.runtime
  // Code goes to guests of the same one file only. What runs in the others is not told apart.
  if (bundle === undefined || !takesCode(options)) return undefined
  try {
    const known = knownOf(bundle)
    known.starts++
    const isDue = known.starts >= known.nextAsked || (options.standby && known.nextAsked === firstAsked)
    if (!isDue) return undefined
    known.nextAsked = known.starts + startsForAnAnswer
    return new CodeAnswer(bundle, known)
  } catch {
    return undefined
  }
}

/** The place for what one guest has been asked. */
export class CodeAnswer {
  readonly #bundle: string
  readonly #known: Known
  #code: Code | undefined

  constructor(bundle: string, known: Known) {
    this.#bundle = bundle
    this.#known = known
  }

  /** Takes it. @throws ERR_CONFINE_PROTOCOL for what is no code, or comes twice. */
  give(parts: readonly unknown[]): void {
    if (this.#code !== undefined) throw fault('what V8 learned for the second time')
    const [program, runtime, own] = parts.map(codeBytes)
    this.#code = { program, runtime, own }
  }

  /** Keeps it for guests to come, once this one has started as it should, unless a file was changed meanwhile. */
  keep(): void {
    if (this.#code === undefined || currentVersion(this.#bundle) !== this.#known.version) return
    this.#known.message = codeMessage(this.#code)
    this.#known.nextAsked = Number.POSITIVE_INFINITY
  }
}

/** What was found out about the texts of a guest. */
interface Known {
  readonly version: string
  /** What is sent. */
  message?: Uint8Array
  starts: number
  /** The start at which one is asked. */
  nextAsked: number
}

// By the runtime's file, the one that was started last at the end.
const all = new Map<string | undefined, Known>()

function knownOf(bundle: string | undefined): Known {
  const version = versionOf(bundle)
  const kept = all.get(bundle)
  const known = kept?.version === version ? kept : { version, starts: 0, nextAsked: firstAsked }
  all.delete(bundle)
  all.set(bundle, known)
  if (all.size > maxKnown) all.delete(all.keys().next().value)
  return known
}

function parsed(bundle: string | undefined): Uint8Array {
  const program = codeOf({ path: guestProgram, kind: 'program' })
  return codeMessage({ program, runtime: bundle === undefined ? undefined : codeOf({ path: bundle, kind: 'runtime' }) })
}

/** Of both files. @throws for one that is not there. */
function versionOf(bundle: string | undefined): string {
  return [guestProgram, ...(bundle === undefined ? [] : [bundle])].map(fileVersion).join(' ')
}

function currentVersion(bundle: string): string | undefined {
  try {
    return versionOf(bundle)
  } catch {
    return undefined
  }
}

/** V8 compares nothing but the length of a text. The time of its last change can be set to any, that of the inode cannot. */
function fileVersion(path: string): string {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

function codeBytes(part: unknown): Uint8Array | undefined {
  if (part === undefined || (part instanceof Uint8Array && part.length <= maxLearnedBytes)) return part
  throw fault('code that is none')
}

function fault(what: string): ConfineError {
  return new ConfineError('ERR_CONFINE_PROTOCOL', `The guest sent ${what}`)
}

const firstAsked = 2

/** Runtimes that are known at once: a host that finds its runtimes in ever new places keeps the code of these, some 10 MiB each at the most. */
const maxKnown = 32

/** Until the next one is asked. */
const startsForAnAnswer = 16
