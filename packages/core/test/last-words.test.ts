import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { frame, notice, shellGuest, text } from './shell-guest.ts'
import { sandbox } from './support.ts'

// A guest may say much, and at last why it ends, and be gone before the host has read any of it. The host then answers nobody.

const call = (id: number, method: string) => frame(1, (id & 127) | 128, id >> 7, 1, 0, ...text(method), 11, 0)
const error = [13, 2, ...text('name'), ...text('Error'), ...text('message'), ...text('its last')]

test('what a guest said last is heard, and told as its reason, although it was gone before anybody answered', async () => {
  const calls = 3000
  const last = Buffer.concat([...Array.from({ length: calls }, (_, i) => call(i + 1, 'count')), notice('uncaught', error)])
  let counted = 0
  const isolation = shellGuest('cat $1 >&3; head -c 5 <&3 >/dev/null; cat $2 >&3; exit 7', [notice('ready'), last])
  // What the guest is told first is a program, then, and not what V8 knows.
  const sbx = sandbox({ noSandbox: false, isolation, policy: { hardened: true }, globals: { count: () => ++counted } })
  await sbx.init()
  const exec = sbx.execContainer({ source: '' }).catch((thrown: unknown) => thrown)
  await vi.waitUntil(() => sbx.ipc?.pendingRequests === 1, { interval: 0 })
  // This process stands still, and reads nothing, until the other is gone.
  while (!/\) [ZX]/.test(readFileSync(`/proc/${sbx.guestProcess?.pid}/stat`, 'utf8')));
  expect(await exec).toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW', message: expect.stringContaining('its last') })
  expect(counted).toBe(calls)
  expect(sbx.guestEnd).toMatchObject({ kind: 'exited', exitCode: 7 })
})
