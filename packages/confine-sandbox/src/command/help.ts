import { commonOptions, type CommandOption, type ConfineCommand } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { paint, table, type Terminal, writeLine } from './terminal.ts'

/** `confine --help` */
export function printOverview(commands: readonly ConfineCommand[], { out }: Terminal): void {
  const line = (text = '') => writeLine(out, text)
  line('Runs untrusted code in a guest process that the operating system confines.')
  section(out, 'Usage', [['confine <command> [options] …', '']])
  section(
    out,
    'Commands',
    commands.map(({ name, summary }) => [name, summary]),
  )
  section(out, 'Options', [...optionRows(commonOptions), ['    --version', 'print the version']])
  section(out, 'Examples', [
    ['confine run program.js', 'a program, confined'],
    ['confine doctor', 'what this machine can hold'],
  ])
  line()
  line('confine <command> --help tells more.')
}

/** `confine run --help` */
export function printHelp(command: ConfineCommand, { out }: Terminal): void {
  writeLine(out, `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`)
  section(out, 'Usage', [[`confine ${command.name} [options]${command.operands === '' ? '' : ` ${command.operands}`}`, '']])
  section(out, 'Options', optionRows({ ...command.options, ...commonOptions }))
  section(out, 'Examples', command.examples)
  section(out, 'Exit codes', [...command.exits, [String(exitCodes.usage), 'the command line is wrong']])
}

function section(out: Terminal['out'], title: string, rows: readonly (readonly string[])[]): void {
  writeLine(out)
  writeLine(out, paint(out, 'bold', title))
  for (const row of table(rows, '   ')) writeLine(out, `  ${row}`)
}

function optionRows(options: Readonly<Record<string, CommandOption>>): string[][] {
  return Object.entries(options).map(([name, { short, value, help }]) => [
    `${short === undefined ? '   ' : `-${short},`} --${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ])
}
