import type { ParseArgsOptionsConfig } from 'node:util'
import type { Terminal } from './terminal.ts'

/** One option of a command, as `--help` tells it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** What stands for the value in the help. */
  readonly value?: string
  /** Its meaning and its default. */
  readonly help: string
}

/** Parsed options by name. */
export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** One of the commands of `confine`. */
export interface ConfineCommand {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** What stands after the options: `<file> [arguments…]`. */
  readonly operands: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** What it exits with, beyond 64 for a wrong command line. */
  readonly exits: readonly (readonly [code: string, meaning: string])[]
  /** Whether everything after the first operand belongs to the program. */
  readonly passesArguments?: boolean
  /** @returns the exit code. */
  run(operands: readonly string[], values: OptionValues, terminal: Terminal): Promise<number>
}

/** A command line that is wrong; the message says how. */
export class UsageError extends Error {}

export function parseOptions(options: ConfineCommand['options']): ParseArgsOptionsConfig {
  return Object.fromEntries(
    Object.entries({ ...options, ...commonOptions }).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  )
}

export const commonOptions: Readonly<Record<string, CommandOption>> = Object.freeze({
  json: { type: 'boolean', help: 'print one JSON document to stdout in place of text' },
  help: { type: 'boolean', short: 'h', help: 'print this' },
})
