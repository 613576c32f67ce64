import { setTimeout as delay } from 'node:timers/promises'
import { ConfineError, type GuestEnd } from '@confine-sandbox/contract'
import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../src/index.ts'
import { sandbox } from './support.ts'

// A guest can be gone at any moment: killed from outside, by the kernel, by itself. Whoever waits is answered, once; what is
// told is told once; nothing is left that keeps the host alive.

type Kill = () => void
/** What the host does up to some moment, at which it kills; returns all that then is waited for. */
type Stage = (sbx: Sandbox, kill: Kill) => Promise<Promise<unknown>[]>

const never = 'exports.f = () => new Promise(() => {})'

/** Waits until the guest was asked so many things that it has not answered. */
async function asked(sbx: Sandbox, count = 1): Promise<void> {
  while ((sbx.ipc?.pendingRequests ?? 0) < count) await delay(1)
}

const stages: Readonly<Record<string, Stage>> = {
  'before it said a word': async (sbx, kill) => {
    const init = sbx.init()
    while (sbx.guestProcess === undefined) await delay(0)
    kill()
    return [init, sbx.execContainer({ source: never })]
  },
  'when it is ready': async (sbx, kill) => {
    await sbx.init()
    kill()
    return [sbx.execContainer({ source: never })]
  },
  'while its program loads': async (sbx, kill) => {
    const exec = sbx.execContainer({ source: 'for (;;);' })
    await asked(sbx)
    kill()
    return [exec]
  },
  'while many programs load': async (sbx, kill) => {
    await sbx.init()
    // The last of them never does: one that has loaded is not asked for any more.
    const all = (sbx.opts.maxContainers === 1 ? [Infinity] : [1, 2, Infinity]).map((ms) =>
      sbx.execContainer({ source: `const until = Date.now() + ${ms}; while (Date.now() < until);${never}` }),
    )
    await asked(sbx)
    kill()
    return all
  },
  'while it is called': async (sbx, kill) => {
    const container = await sbx.execContainer({ source: never })
    const calls = [container.call('f'), container.call('f'), sbx.handleAPICall(container.cid, 'f')]
    await asked(sbx, 3)
    kill()
    return [...calls, container.describe(), container.usage(), sbx.configContainer({ cid: container.cid })]
  },
  'while it waits for the host': async (sbx, kill) => {
    const container = await sbx.execContainer({ source: 'exports.f = () => globals.pause()' })
    const call = container.call('f')
    await asked(sbx)
    await delay(20)
    kill()
    return [call]
  },
  'by a function of the host that it calls': async (sbx, kill) => {
    sbx.globalsMap.set('kill', kill)
    const container = await sbx.execContainer({ source: 'exports.f = () => globals.kill()' })
    return [container.call('f')]
  },
  'while a container is closed': async (sbx, kill) => {
    const container = await sbx.execContainer({ source: `process.on('SIGTERM', () => {}); ${never}` })
    const calls = [container.call('f'), sbx.killContainer(container)]
    kill()
    return calls
  },
  'while it is torn down': async (sbx, kill) => {
    const container = await sbx.execContainer({ source: `process.on('SIGTERM', () => {}); ${never}` })
    const calls = [container.call('f'), sbx.teardown()]
    kill()
    return calls
  },
  'when it stands still': async (sbx, kill) => {
    const container = await sbx.execContainer({ source: never })
    sbx.guestProcess?.kill('SIGSTOP')
    const call = container.call('f')
    kill()
    return [call]
  },
  'while it floods the host': async (sbx, kill) => {
    const source = 'exports.f = () => { for (let i = 0; i < 1000; i++) globals.count("x".repeat(10000)); return new Promise(() => {}) }'
    const container = await sbx.execContainer({ source })
    const call = container.call('f')
    await asked(sbx)
    await delay(5)
    kill()
    return [call]
  },
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

describe.each(Object.entries(stages))('a guest that is gone %s', (_, stage) => {
  test.each([1, 10])('is told to whoever waits, with %i containers a process', async (maxContainers) => {
    const before = timers()
    const globals = { pause: () => new Promise(() => {}), count: () => {}, kill: () => {} }
    const sbx = sandbox({ maxContainers, globals })
    const ends: GuestEnd[] = []
    sbx.on('guest-ended', (end) => ends.push(end))
    const waiting = await stage(sbx, () => sbx.guestProcess?.kill('SIGKILL'))
    for (const result of await Promise.allSettled(waiting)) {
      if (result.status === 'rejected') expect(ConfineError.is(result.reason), String(result.reason)).toBe(true)
    }
    expect(await sbx.whenGuestProcessClosed).toBe(128 + 9)
    expect(ends).toEqual([expect.objectContaining({ kind: 'signaled', signal: 'SIGKILL' })])
    expect(sbx.isGuestProcessActive).toBe(false)
    expect(await sbx.listContainers()).toEqual([])
    expect(await sbx.teardown()).toBe(128 + 9)
    // One turn, for what the last event of the process left to be cleared.
    await expect.poll(timers).toBeLessThanOrEqual(before)
    for (const late of [sbx.execContainer({ source: '' }), sbx.handleAPICall(1, 'f')]) {
      await expect(late).rejects.toMatchObject({ name: 'ConfineError' })
    }
  })
})
