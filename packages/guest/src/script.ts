import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import vm from 'node:vm'

/** A text that a guest runs as the body of a function: its own program, or a runtime that is one CommonJS file. */
export interface GuestText {
  readonly path: string
  readonly kind: 'program' | 'runtime'
}

const parameters = {
  program: 'require, __filename, __dirname, settings, runtimeCode',
  runtime: 'require, __filename, __dirname, exports, module',
} as const

/**
 * Runs a text.
 * @param code What `codeOf` gave for it. V8 looks whether it fits, by its version, its flags and the length of the text, and parses
 *   the text where it does not.
 * @param rest What comes after `require`, `__filename` and `__dirname`.
 */
export function runText(text: GuestText, code: Uint8Array | undefined, require: unknown, ...rest: readonly unknown[]): void {
  const run = scriptOf(text, code).runInThisContext() as (...values: readonly unknown[]) => void
  run(require, text.path, dirname(text.path), ...rest)
}

/** What V8 finds out about a text when it parses it, a third of what a guest does between its first line and its first result. */
export function codeOf(text: GuestText): Uint8Array {
  return scriptOf(text).createCachedData()
}

/** Compiles a text. */
export function scriptOf({ path, kind }: GuestText, code?: Uint8Array): vm.Script {
  return new vm.Script(`(function (${parameters[kind]}) {${readFileSync(path, 'utf8')}\n})`, {
    filename: path,
    ...(code === undefined ? {} : { cachedData: code as Buffer }),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
}
