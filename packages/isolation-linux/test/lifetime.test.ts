import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { children, isAlive, type Launch, launch, locked, processesWith, run, users } from './support/launch.ts'

const endless = locked("setInterval(() => {}, 1000); say('running')")

/** Supervisor, init and guest. */
async function running(guest: Launch): Promise<readonly [number, number, number]> {
  await guest.output('running')
  const supervisor = guest.child.pid as number
  const init = children(supervisor)[0] as number
  return [supervisor, init, children(init)[0] as number]
}

/** A letter of proc(5), undefined when nobody has the number. */
function stateOf(pid: number): string | undefined {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

const isRunning = (pid: number) => !['Z', 'X', undefined].includes(stateOf(pid))

async function allGone(pids: readonly number[]): Promise<boolean> {
  for (let waited = 0; waited < 60_000; waited += 10) {
    if (!pids.some(isAlive)) return true
    await sleep(10)
  }
  return false
}

describe.each(users)('of what %s launched, nothing is left', (as) => {
  test('when the supervisor is killed', async () => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    process.kill(pids[0], 'SIGKILL')
    expect(await guest.end).toMatchObject({ signal: 'SIGKILL' })
    expect(await allGone(pids)).toBe(true)
  })

  test('when init is killed', async () => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    process.kill(pids[1], 'SIGKILL')
    expect(await guest.end).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(pids.some(isAlive)).toBe(false)
  })

  test('when the host lets go of the control socket', async () => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    guest.control.destroy()
    expect(await guest.end).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(pids.some(isAlive)).toBe(false)
  })

  test('when the host says more than the plan', async () => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    guest.control.write('x')
    expect(await guest.end).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(pids.some(isAlive)).toBe(false)
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const)('once the supervisor has died of %s', async (signal) => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    const exited = once(guest.child, 'exit')
    process.kill(pids[0], signal)
    expect(await exited).toEqual([null, signal])
    // At once, not a little later.
    expect(pids.some(isAlive)).toBe(false)
    await guest.end
  })

  test('when the guest was killed, whose number is its own until the supervisor has heard of it', async () => {
    const guest = launch(endless, { as })
    const pids = await running(guest)
    process.kill(pids[0], 'SIGSTOP')
    process.kill(pids[2], 'SIGKILL')
    while (isRunning(pids[2])) await sleep(10)
    // A look is no proof that it stays, but a number that is free is seen in most.
    for (let looks = 0; looks < 10; looks++) {
      await sleep(2)
      expect(stateOf(pids[2])).toBe('Z')
    }
    process.kill(pids[0], 'SIGCONT')
    expect(await guest.end).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(pids.some(isAlive)).toBe(false)
  })

  test('when a process that was started before the lock outlives the guest', async () => {
    const marker = `orphan-${as}-${process.pid}`
    const child = `child_process.spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)', '${marker}'], { stdio: ['inherit', 'pipe', 'inherit'] })`
    const command = { ...endless, args: ['-e', `${child}.stdout.once('data', () => process.exit(4))`] }
    expect(await run(command, { as })).toMatchObject({ code: 4 })
    expect(processesWith(marker)).toEqual([])
  })

  test('whenever the supervisor is killed', async () => {
    const marker = `marker-${as}-${process.pid}`
    for (let round = 0; round < 24; round++) {
      const guest = launch({ ...endless, args: [...endless.args, marker] }, { as })
      await sleep(round * 0.75)
      guest.child.kill('SIGKILL')
      await guest.end
    }
    for (let waited = 0; processesWith(marker).length > 0 && waited < 60_000; waited += 10) await sleep(10)
    expect(processesWith(marker)).toEqual([])
  })
})

test('nothing is left of what a killed host has launched', async () => {
  const script = `
    import { launch, locked } from '${new URL('./support/launch.ts', import.meta.url)}'
    const guest = launch(locked("setInterval(() => {}, 1000); say('running')"))
    await guest.output('running')
    console.log(guest.child.pid)
    setInterval(() => {}, 1000)`
  const host = spawn(process.execPath, ['--conditions=@confine/source', '--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = await once(host.stdout, 'data')
  const supervisor = Number(chunk)
  const init = children(supervisor)[0] as number
  const pids = [supervisor, init, children(init)[0] as number]
  expect(pids.every(isAlive)).toBe(true)
  host.kill('SIGKILL')
  expect(await allGone(pids)).toBe(true)
})

test('a stopped supervisor stops what the guest asks, not the guest, and can be killed', async () => {
  const code = `process.stdout; const s = new net.Socket({ fd: 3 }); const answer = (b) => { if (String(b) === 'open') try { fs.statSync('/x') } catch {}; s.write('re: ' + b) }`
  const guest = launch({
    ...endless,
    args: [
      '-e',
      `${code}; fs.access('/', () => { try { fs.openSync('/.confine/lock') } catch {}; s.on('data', answer); console.log('running') })`,
    ],
  })
  const pids = await running(guest)
  const heard: string[] = []
  guest.channel.on('data', (chunk) => heard.push(String(chunk)))
  process.kill(pids[0], 'SIGSTOP')
  guest.channel.write('hello')
  while (heard.length === 0) await sleep(5)
  guest.channel.write('open')
  await sleep(100)
  expect(heard).toEqual(['re: hello'])
  process.kill(pids[0], 'SIGKILL')
  await guest.end
  expect(await allGone(pids)).toBe(true)
})
