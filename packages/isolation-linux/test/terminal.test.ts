import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { children, launch, locked, program, users } from './support/launch.ts'

const noTerminal = 0

describe.each(users)('launched by %s in a terminal', (as) => {
  test.each([
    ['it is left', []],
    ['where it cannot be left, the session is', [program('without'), 'leaving-terminals', '--']],
  ])('%s: the guest has none, and no part in the signals of its group', async (_name, without) => {
    const guest = launch(locked("say('running'); setInterval(() => {}, 1000)"), { as, under: [program('terminal'), ...without] })
    await guest.output('running')
    const [supervisor] = children(guest.child.pid)
    const [init] = children(supervisor)
    const [node] = children(init)
    const shell = jobOf(guest.child.pid)
    expect(shell.terminal).not.toBe(noTerminal)
    expect(jobOf(supervisor)).toEqual(shell)
    expect(jobOf(node)).toEqual({ group: node, session: without.length > 0 ? node : shell.session, terminal: noTerminal })
    guest.control.end()
    await guest.end
  })
})

/** proc_pid_stat(5) */
function jobOf(pid: number | undefined): { group: number; session: number; terminal: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [, , group, session, terminal] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number) as [number, number, number, number, number]
  return { group, session, terminal }
}
