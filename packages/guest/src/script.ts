import { closeSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import vm from 'node:vm'

/** A text that a guest runs as the body of a function: its own program, or a runtime that is one CommonJS file. */
export interface GuestText {
  readonly path: string
  readonly kind: 'program' | 'runtime'
}

const parameters = {
  program: ['require', '__filename', '__dirname', 'settings', 'code'],
  runtime: ['require', '__filename', '__dirname', 'exports', 'module'],
} as const

/**
 * Runs a text.
 * @param code What `codeOf` gave for it, or what an earlier process learned of it. V8 looks whether it fits, by its version, its flags and the
 *   length of the text, and parses the text where it does not. Its memory is let go of afterwards: no collection may come for long.
 * @param rest What comes after `require`, `__filename` and `__dirname`.
 * @returns its script: `createCachedData()` of it gives the code with all that was compiled since.
 */
export function runText(text: GuestText, code: Uint8Array | undefined, require: unknown, ...rest: readonly unknown[]): vm.Script {
  const script = compileText(text, code)
  if (code !== undefined) letGo(code)
  const run = script.runInThisContext() as (...values: readonly unknown[]) => void
  run(require, text.path, dirname(text.path), ...rest)
  return script
}

/** What V8 finds out about a text when it parses it, a third of what a guest does between its first line and its first result. */
export function codeOf(text: GuestText): Uint8Array {
  return compileText(text, undefined).createCachedData()
}

/** Compiles a text; the script says what became of the code that it was given. */
export function compileText({ path, kind }: GuestText, cachedData: Uint8Array | undefined): vm.Script {
  const head = `(function (${parameters[kind].join(', ')}) {`
  return new vm.Script(readBetween(head, path, '\n})'), {
    ...(cachedData === undefined ? {} : { cachedData: cachedData as Buffer }),
    filename: path,
    // Places in the text are those in the file.
    columnOffset: -head.length,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
}

/**
 * A file's text with something before and after it, made as one string: one that is put together is copied once more, and a young heap that is
 * full for it is collected while the host waits. Without a question for its length, which the supervisor would have to answer.
 */
function readBetween(head: string, path: string, tail: string): string {
  const fd = openSync(path, 'r')
  try {
    let bytes = Buffer.allocUnsafeSlow(usualBytes)
    let length = bytes.write(head)
    for (let got = -1; got !== 0; ) {
      if (bytes.length - length <= tail.length) bytes = Buffer.concat([bytes], bytes.length * 2)
      got = readSync(fd, bytes, length, bytes.length - length - tail.length, null)
      length += got
    }
    length += bytes.write(tail, length)
    const text = bytes.toString('utf8', 0, length)
    letGo(bytes)
    return text
  } finally {
    closeSync(fd)
  }
}

/** Gives memory back now: no collection may come for long. */
function letGo({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** More than our own texts have. */
const usualBytes = 256 * 1024
