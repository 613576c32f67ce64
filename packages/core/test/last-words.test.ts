import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfinedCommand, IsolationBackend } from '@confine-sandbox/contract'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sandbox } from './support.ts'

// A guest may say much, and at last why it ends, and be gone before the host has read any of it. The host then answers nobody.

const frame = (...body: number[]) => Buffer.from([body.length, 0, 0, 0, ...body])
const text = (string: string) => [8, string.length, ...Buffer.from(string)]
const notice = (method: string, ...params: number[][]) => frame(4, 0, ...text(method), 11, params.length, ...params.flat())
const call = (id: number, method: string) => frame(1, (id & 127) | 128, id >> 7, 1, 0, ...text(method), 11, 0)
const error = [13, 2, ...text('name'), ...text('Error'), ...text('message'), ...text('its last')]

/** A shell in the place of the guest: it says the first words, waits until it is asked, says the others, and is gone. */
function shell(first: Buffer, last: Buffer): IsolationBackend {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const [firstFile, lastFile] = ['first', 'last'].map((name) => join(directory, name)) as [string, string]
  writeFileSync(firstFile, first)
  writeFileSync(lastFile, last)
  return {
    name: 'shell',
    assess: () => ({ backend: 'shell', parts: {} as never, missing: [] }),
    confine: (): ConfinedCommand => ({
      file: '/bin/sh',
      args: ['-c', `cat ${firstFile} >&3; head -c 5 <&3 >/dev/null; cat ${lastFile} >&3; exit 7`],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      descriptors: [],
    }),
  }
}

test('what a guest said last is heard, and told as its reason, although it was gone before anybody answered', async () => {
  const calls = 3000
  const last = Buffer.concat([...Array.from({ length: calls }, (_, i) => call(i + 1, 'count')), notice('uncaught', error)])
  let counted = 0
  const isolation = shell(notice('ready'), last)
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
