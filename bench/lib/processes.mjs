import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A process and all below it. */
export function processTree(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readOr(`/proc/${pid}/task/${task}/children`, '').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  })
  return [pid, ...children.flatMap(processTree)]
}

/** Keeps processes, with all of their threads and those to come, on one core. */
export function pin(pids, core) {
  for (const pid of pids) execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
}

/** Memory that a process shares with nobody, KiB. */
export function privateKiB(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { privateKiB: field('Private_Dirty') + field('Private_Clean'), dirtyKiB: field('Private_Dirty'), pssKiB: field('Pss') }
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}
