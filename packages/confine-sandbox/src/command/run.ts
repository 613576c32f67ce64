import type { Writable } from 'node:stream'
import { guestMethod } from '@confine-sandbox/guest'
import { ConfineError, type Container, type ContainerClosed, Sandbox, type Violation } from '../index.ts'
import { type ConfineCommand, UsageError } from './command.ts'
import { exitCodeOfEnd, exitCodes } from './exit-codes.ts'
import { readSandboxOptions, sandboxOptions } from './sandbox-options.ts'
import { harmless, paint, type Terminal, writeJson, writeLine } from './terminal.ts'

/** `confine run`: a program from its first line to its end. */
export const run: ConfineCommand = {
  name: 'run',
  summary: 'run a program confined, with its output, until it has nothing left to do',
  operands: '<file> [argument…]',
  options: sandboxOptions,
  passesArguments: true,
  examples: [
    ['confine run program.js', 'as node program.js would, but for what it may not do'],
    ['confine run --memory 64 --timeout 5s program.js a b', "with limits; a and b are the program's process.argv"],
    ['confine run --read ./input --write ./output convert.js', 'with files'],
    ['confine run --json program.js', 'output, end and violations as data'],
  ],
  exits: [
    ['the program’s', 'it ran to its end, or called process.exit()'],
    ['1', 'it did not load, or threw'],
    ['124', 'its --timeout passed'],
    ['125', 'the sandbox could not be set up; nothing ran'],
    ['128 + n', 'signal n ended it: 159 after a forbidden act (SIGSYS), 137 at a limit (SIGKILL)'],
  ],
  async run([file, ...argv], values, terminal) {
    const options = readSandboxOptions(values)
    if (file === undefined) throw new UsageError('Name the program to run: confine run program.js')
    const isJson = values.json === true
    await using sbx = new Sandbox({ ...options, pipeStdout: !isJson, pipeStderr: !isJson })
    const violations = collectViolations(sbx)
    let output: ReturnType<typeof collectOutput> | undefined
    const failure = await runToEnd(sbx, file, argv, () => {
      if (isJson) output = collectOutput(sbx)
    })
    // A process for one program goes by itself, and then its end is the program's.
    if (failure.closed?.exitCode !== undefined && sbx.opts.runtime.maxContainers === 1) await sbx.whenGuestProcessClosed
    await sbx.teardown()
    const exitCode = exitCodeOf(failure)
    if (isJson) {
      const { guestEnd: end, isolation } = sbx
      writeJson(terminal.out, { exitCode, ...output?.(), end, violations, error: describe(failure.error), isolation })
    } else report(terminal, violations, failure.error)
    return exitCode
  },
}

type Failure = { readonly error?: ConfineError; readonly closed?: ContainerClosed }

/** Loads a program and waits for its end, whichever of the many it is; a limit may end it before it has begun. */
async function runToEnd(sbx: Sandbox, sourcePath: string, argv: readonly string[], started: () => void): Promise<Failure> {
  let isStarted = false
  try {
    await sbx.init()
    isStarted = true
    started()
    // A program may work for as long as it likes before it has loaded: --timeout bounds its life.
    const container = await sbx.execContainer({ sourcePath, argv, env: 'nodejs', timeoutMs: Number.POSITIVE_INFINITY })
    // Where it ends before the answer comes, `closed` tells how.
    sbx.ipc?.request(0, guestMethod.finish, [container.cid]).catch(() => {})
    return await endOf(container)
  } catch (error) {
    if (!ConfineError.is(error)) throw error
    if (!isStarted && (error.end === undefined || error.end.kind === 'setup-failed')) throw error
    return { error }
  }
}

async function endOf(container: Container): Promise<Failure> {
  const closed = await container.closed
  return closed.error === undefined ? { closed } : { closed, error: closed.error }
}

function exitCodeOf({ closed, error }: Failure): number {
  if (closed?.exitCode !== undefined) return closed.exitCode
  return error?.end === undefined ? exitCodes.failed : exitCodeOfEnd(error.end)
}

export function collectViolations(sbx: Sandbox): Violation[] {
  const violations: Violation[] = []
  sbx.on('violation', (violation) => {
    if (violations.length < keptViolations) violations.push(violation)
  })
  return violations
}

const keptViolations = 100

/** Keeps what the guest writes, up to a bound. */
function collectOutput({ guestProcess }: Sandbox): () => { stdout: string; stderr: string; isTruncated: boolean } {
  const kept = { stdout: '', stderr: '' }
  let isTruncated = false
  for (const name of ['stdout', 'stderr'] as const) {
    const decoder = new TextDecoder()
    guestProcess?.[name]?.on('data', (chunk: Buffer) => {
      const room = keptCharacters - kept[name].length
      const text = decoder.decode(chunk, { stream: true })
      if (text.length > room) isTruncated = true
      kept[name] += text.slice(0, Math.max(0, room))
    })
  }
  return () => ({ ...kept, isTruncated })
}

const keptCharacters = 8 * 1024 * 1024

function report({ err }: Terminal, violations: readonly Violation[], error: ConfineError | undefined): void {
  // The one that ended the guest stands in its error.
  for (const { syscall, path } of violations.filter(({ action }) => action === 'deny')) {
    writeLine(
      err,
      `${paint(err, 'yellow', 'confine:')} ${harmless(`refused ${syscall}${path === undefined ? '' : ` ${JSON.stringify(path)}`}`)}`,
    )
  }
  if (error === undefined) return
  reportError(err, error)
}

/** What went wrong, and where in the program. */
export function reportError(err: Writable, { message, errorName, guestStack = '' }: ConfineError): void {
  const [first = '', ...lines] = guestStack.split('\n')
  // As a rule that is the name and the message once more; of text that cannot be read it is the place.
  const isSaid = first === '' || first.startsWith(`${errorName}: `) || first === errorName
  const name = errorName === undefined || message.includes(`${errorName}: `) ? '' : `${errorName}: `
  writeLine(err, `${paint(err, 'red', 'confine:')} ${harmless(name + message)}`)
  for (const line of isSaid ? lines : [first, ...lines]) writeLine(err, harmless(line))
}

/** An error as data. What a guest said is marked as such by its fields. */
export function describe(error: ConfineError | undefined): object | undefined {
  if (error === undefined) return undefined
  const { code, message, errorName, errorCode, guestStack, end } = error
  return { code, message, errorName, errorCode, guestStack, end }
}
