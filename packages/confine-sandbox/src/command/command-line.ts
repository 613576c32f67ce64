import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ConfineError } from '../index.ts'
import { attack } from './attack.ts'
import { call } from './call.ts'
import { type ConfineCommand, parseOptions, UsageError } from './command.ts'
import { doctor } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import { explain } from './explain.ts'
import { printHelp, printOverview } from './help.ts'
import { run } from './run.ts'
import { harmlessLines, paint, type Terminal, writeJson, writeLine } from './terminal.ts'

/** The commands, in the order of `--help`. */
export const commands: readonly ConfineCommand[] = [run, call, doctor, attack, explain]

/**
 * Does what a command line says.
 * @param line What stands after `confine`.
 * @returns the exit code. Never rejects for what the user or a guest did.
 */
export async function runCommandLine(line: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = line
  const command = commands.find((one) => one.name === name)
  try {
    if (command === undefined) return overview(line, terminal)
    return await runOne(command, rest, terminal)
  } catch (error) {
    return failed(error, command, rest.includes('--json'), terminal)
  }
}

function overview(line: readonly string[], terminal: Terminal): number {
  const [first = '--help'] = line
  if (first === '--version') writeLine(terminal.out, version())
  else if (['--help', '-h', 'help'].includes(first)) printOverview(commands, terminal)
  else throw new UsageError(`There is no command ${JSON.stringify(first)}; there are ${commands.map(({ name }) => name).join(', ')}`)
  return line.length === 0 ? exitCodes.usage : exitCodes.ok
}

async function runOne(command: ConfineCommand, line: readonly string[], terminal: Terminal): Promise<number> {
  const own = command.passesArguments === true ? untilFirstOperand(command, line) : line
  const { values, positionals } = parse(command, own)
  if (values.help === true) {
    printHelp(command, terminal)
    return exitCodes.ok
  }
  return await command.run([...positionals, ...line.slice(own.length)], values as never, terminal)
}

/** What comes after the program is the program's, dashes or not. */
function untilFirstOperand(command: ConfineCommand, line: readonly string[]): readonly string[] {
  const { tokens } = parseArgs({
    args: [...line],
    options: parseOptions(command.options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const first = tokens.find(({ kind }) => kind === 'positional')
  return first === undefined ? line : line.slice(0, first.index + 1)
}

function parse(command: ConfineCommand, line: readonly string[]) {
  try {
    return parseArgs({ args: [...line], options: parseOptions(command.options), allowPositionals: true })
  } catch (error) {
    // Its messages are sentences for people; the advice that follows "Unknown option '--memroy'" is about something else.
    throw new UsageError((error as Error).message.split('. To specify')[0] as string)
  }
}

function failed(error: unknown, command: ConfineCommand | undefined, isJson: boolean, { out, err }: Terminal): number {
  const isUsage = error instanceof UsageError || (ConfineError.is(error) && error.code === 'ERR_CONFINE_BAD_OPTION')
  if (!isUsage && !ConfineError.is(error)) throw error
  const { message } = error as Error
  const code = isUsage ? 'ERR_CONFINE_BAD_OPTION' : (error as ConfineError).code
  if (isJson) writeJson(out, { error: { code, message } })
  else {
    writeLine(err, `${paint(err, 'red', 'confine:')} ${harmlessLines(message)}`)
    if (isUsage) writeLine(err, `Try confine ${command === undefined ? '--help' : `${command.name} --help`}`)
  }
  if (isUsage) return exitCodes.usage
  if (code === 'ERR_CONFINE_TIMEOUT') return exitCodes.timeout
  return setupCodes.has(code) ? exitCodes.setup : exitCodes.failed
}

const setupCodes: ReadonlySet<string> = new Set([
  'ERR_CONFINE_RUNTIME_NOT_FOUND',
  'ERR_CONFINE_RUNTIME_INVALID',
  'ERR_CONFINE_ISOLATION_UNAVAILABLE',
  'ERR_CONFINE_SETUP_FAILED',
])

/** The same from src/command/ and from dist/command/. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
