import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import vm from 'node:vm'

/** A text that a guest runs as the body of a function: its own program, or a runtime that is one CommonJS file. */
export interface GuestText {
  readonly path: string
  readonly kind: 'program' | 'runtime'
}

const parameters = {
  program: ['require', '__filename', '__dirname', 'settings', 'runtimeCode'],
  runtime: ['require', '__filename', '__dirname', 'exports', 'module'],
} as const

/**
 * Runs a text.
 * @param code What `codeOf` gave for it. V8 looks whether it fits, by its version, its flags and the length of the text, and parses
 *   the text where it does not. Its memory is let go of afterwards: no collection may come for long.
 * @param rest What comes after `require`, `__filename` and `__dirname`.
 */
export function runText(text: GuestText, code: Uint8Array | undefined, require: unknown, ...rest: readonly unknown[]): void {
  const run = compileText(text, code === undefined ? {} : { cachedData: code as Buffer })
  if (code?.buffer instanceof ArrayBuffer) code.buffer.transfer(0)
  run(require, text.path, dirname(text.path), ...rest)
}

/** What V8 finds out about a text when it parses it, a third of what a guest does between its first line and its first result. */
export function codeOf(text: GuestText): Uint8Array | undefined {
  return compileText(text, { produceCachedData: true }).cachedData
}

/** Compiles a text, and says what became of the code that it was given or asked for. */
export function compileText({ path, kind }: GuestText, options: vm.CompileFunctionOptions): CompiledText {
  return vm.compileFunction(readFileSync(path, 'utf8'), parameters[kind], {
    ...options,
    filename: path,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as CompiledText
}

/** A function that a text became, and what V8 says of its code. */
export interface CompiledText {
  (...values: readonly unknown[]): void
  readonly cachedData?: Buffer
  readonly cachedDataRejected?: boolean
}
