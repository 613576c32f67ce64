import { inspect } from 'node:util'
import { ConfineError, Sandbox } from '../index.ts'
import { type ConfineCommand, UsageError } from './command.ts'
import { exitCodeOfEnd, exitCodes } from './exit-codes.ts'
import { collectViolations, describe, reportError } from './run.ts'
import { readSandboxOptions, sandboxOptions } from './sandbox-options.ts'
import { harmlessLines, writeJson, writeLine } from './terminal.ts'

/** `confine call`: one exported function of a program. */
export const call: ConfineCommand = {
  name: 'call',
  summary: 'call an exported function of a program, confined, and print what it returns',
  operands: '<file> <function> [parameter…]',
  options: sandboxOptions,
  passesArguments: true,
  examples: [
    ['confine call math.js addOne 5', 'prints 6'],
    ['confine call plugin.js area \'{"width":2}\'', 'a parameter that is JSON is passed as its value, any other as text'],
    ['confine call --json plugin.mjs stats.mean [1,2,3]', 'a nested function of an ES module; the result as JSON'],
  ],
  exits: [
    ['0', 'it returned'],
    ['1', 'it threw, is not there, or its file did not load'],
    ['124', 'its --timeout passed'],
    ['125', 'the sandbox could not be set up; nothing ran'],
    ['128 + n', 'signal n ended the guest: 159 after a forbidden act (SIGSYS), 137 at a limit (SIGKILL)'],
  ],
  async run([file, name, ...words], values, terminal) {
    const options = readSandboxOptions(values)
    if (file === undefined || name === undefined) throw new UsageError('Name a file and a function: confine call math.js addOne 5')
    const isJson = values.json === true
    await using sbx = new Sandbox({ ...options, pipeStderr: !isJson })
    const violations = collectViolations(sbx)
    await sbx.init()
    // stdout is for the result.
    if (!isJson) sbx.guestProcess?.stdout?.on('data', (chunk: Uint8Array) => terminal.err.write(chunk))
    try {
      // --timeout bounds the life of the guest, and nothing else is to.
      const timeoutMs = Number.POSITIVE_INFINITY
      const container = await sbx.execContainer({ sourcePath: file, env: 'nodejs', timeoutMs })
      const result: unknown = await container.call(name, words.map(parameter), { timeoutMs })
      if (isJson) writeJson(terminal.out, { result: jsonOf(result), violations })
      else
        writeLine(
          terminal.out,
          harmlessLines(typeof result === 'string' ? result : inspect(result, { depth: 8, maxStringLength: 100_000 })),
        )
      return exitCodes.ok
    } catch (error) {
      // Untrusted code may have run by now: whatever code the error bears, which may be that one's word, this is no failed set-up.
      if (!ConfineError.is(error)) throw error
      await sbx.teardown()
      if (isJson) writeJson(terminal.out, { error: describe(error), violations })
      else reportError(terminal.err, error)
      if (error.code === 'ERR_CONFINE_TIMEOUT') return exitCodes.timeout
      return error.end === undefined ? exitCodes.failed : exitCodeOfEnd(error.end)
    }
  },
}

function parameter(word: string): unknown {
  try {
    return JSON.parse(word)
  } catch {
    return word
  }
}

/** As JSON.stringify sees it, with a text for what it cannot say. */
function jsonOf(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one))
    return text === undefined ? null : JSON.parse(text)
  } catch {
    return inspect(value)
  }
}
