import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory of a process and all below it, MiB, as the system tells it; undefined where it does not. */
export function residentMiB(pid: number): number | undefined {
  try {
    return tree(pid).reduce((sum, one) => sum + residentKiB(one), 0) / 1024
  } catch {
    return undefined
  }
}

function tree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(tree)]
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
