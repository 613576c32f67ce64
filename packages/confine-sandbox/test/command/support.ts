import { execFile } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../../src/command/command-line.ts'

/** The command, as a program that was built: without its sources it starts in a fifth of the time. */
const main = fileURLToPath(new URL('../../dist/command/main.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** `confine …` in this process. What a guest writes is not seen. */
export async function confine(...line: string[]): Promise<Ended> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const code = await runCommandLine(line, { out, err })
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') }
}

/** `confine …` in a process of its own, started by another program. */
export function spawnConfine(line: readonly string[], by: readonly string[] = [], cwd?: string): Promise<Ended> {
  const [file, ...args] = [...by, process.execPath, main, ...line] as [string, ...string[]]
  return new Promise((resolve) => {
    execFile(file, args, { cwd, maxBuffer: 1 << 24, env: { ...process.env, NO_COLOR: '1' } }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}
