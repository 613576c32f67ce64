import { syscallTable } from './syscall-table.ts'

/** The processor architectures whose system calls are known here, by Node's names. */
export type Architecture = 'x64' | 'arm64'

/** The number of a system call on an architecture. Undefined: it has none there, or the name is unknown. */
export function syscallNumber(name: string, architecture: Architecture): number | undefined {
  return numbers.get(name)?.[architecture === 'x64' ? 0 : 1]
}

/** The name of a system call, `syscall-1234` when the number has none. */
export function syscallName(number: number, architecture: Architecture): string {
  return names[architecture].get(number) ?? `syscall-${number}`
}

/** Every name that has a number on an architecture. */
export function syscallNames(architecture: Architecture): readonly string[] {
  return [...names[architecture].values()]
}

/** Numbers on x64 and on arm64. */
const numbers: ReadonlyMap<string, readonly [x64: number | undefined, arm64: number | undefined]> = new Map(
  syscallTable.split(',').map((row) => {
    const [name = '', x64 = '-', arm64 = '-'] = row.trim().split(' ')
    return [name, [numberOf(x64), numberOf(arm64)]]
  }),
)

function numberOf(text: string): number | undefined {
  return text === '-' ? undefined : Number(text)
}

const names = { x64: namesOf(0), arm64: namesOf(1) }

function namesOf(column: 0 | 1): ReadonlyMap<number, string> {
  return new Map(
    [...numbers].map(([name, row]) => [row[column], name] as const).filter((entry): entry is [number, string] => entry[0] !== undefined),
  )
}
