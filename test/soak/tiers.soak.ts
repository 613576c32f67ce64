import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  children,
  type Launch,
  launch,
  locked,
  processesWith,
  program,
  type User,
  users,
} from '../../packages/isolation-linux/test/support/launch.ts'

// Launches without user namespaces, and without any, whose supervisor, init or guest is killed at a random moment.
// Without a process namespace no kernel ends what is left: the chain of parent-death signals has to.

const launches = Number(process.env.CONFINE_SOAK_LAUNCHES ?? 1000)
const atOnce = 4
const without = program('without')

const machines = [
  { lacks: 'namespaces', as: 'root' },
  { lacks: 'namespaces', as: 'nobody' },
  { lacks: 'user-namespaces', as: 'root' },
].filter(({ as }) => users.some((user) => user === as)) as { lacks: string; as: User }[]

test.each(machines)(
  `${launches} launches by $as without $lacks, with a kill at a random moment, leave no process`,
  async ({ lacks, as }) => {
    const marker = `soak-${lacks}-${as}-${process.pid}`
    const command = locked('setInterval(() => {}, 1000)')
    const start = () => launch({ ...command, args: [...command.args, marker] }, { as, under: [without, lacks, '--'] })
    // From before the launcher runs to after the lock, on this machine.
    const longestDelayMs = 3 * Math.max(...(await Promise.all(Array.from({ length: atOnce }, () => lockedMs(start())))))
    const killed = [0, 0, 0]
    let next = 0
    const worker = async () => {
      while (next < launches) {
        const victim = next++ % killed.length
        const guest = start()
        await delay(Math.random() * longestDelayMs)
        if (kill(guest, victim)) killed[victim] = (killed[victim] ?? 0) + 1
        else guest.child.kill('SIGKILL')
        await guest.end
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    await expect.poll(() => processesWith(marker)).toEqual([])
    for (const count of killed) expect(count).toBeGreaterThan(launches / 20)
  },
)

/** How long a launch takes that nobody kills. */
async function lockedMs(guest: Launch): Promise<number> {
  const began = performance.now()
  await guest.event('locked')
  const tookMs = performance.now() - began
  guest.child.kill('SIGTERM')
  await guest.end
  return tookMs
}

/** Kills the supervisor, init or the guest. Returns whether it was there. */
function kill({ child }: Launch, victim: number): boolean {
  try {
    let pid = child.pid
    for (let generation = 0; generation < victim; generation++) pid = children(pid)[0]
    return pid !== undefined && process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
