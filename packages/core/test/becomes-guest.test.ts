import { execFileSync } from 'node:child_process'
import type { Command, ConfinedCommand, IsolationBackend } from '@confine-sandbox/contract'
import { expect, test } from 'vitest'
import { sandbox } from './support.ts'

/** A wrapper as on macOS: a shell that leaves a watcher behind and becomes the guest. */
function shell(more: Partial<ConfinedCommand> = {}, backend: Partial<IsolationBackend> = {}): IsolationBackend {
  const script = 'trap "" TERM; sleep 600 </dev/null >/dev/null 2>&1 3>&- & trap - TERM; exec "$@"'
  return {
    name: 'shell',
    assess: () => ({ backend: 'shell', parts: {} as never, missing: [] }),
    confine: ({ file, args, env }: Command): ConfinedCommand => ({
      file: '/bin/sh',
      args: ['-c', script, 'watched', file, ...args],
      env,
      cwd: '/',
      descriptors: [],
      becomesGuest: true,
      ...more,
    }),
    ...backend,
  }
}

/** The processes of a group that are alive. */
function group(leader: number): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=', '-o', 'stat=', '-o', 'comm='], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => new RegExp(`^ *${leader} +[^Z]`).test(line))
}

test.each([
  ['exits', 'setTimeout(() => process.exit(4), 20)', 4],
  ['is killed', 'setTimeout(() => process.kill(process.pid, "SIGKILL"), 20)', 128 + 9],
])('what watched a guest goes when the guest %s', async (_, source, exitCode) => {
  const sbx = sandbox({ noSandbox: false, isolation: shell() })
  await sbx.execContainer({ source })
  const leader = sbx.guestProcess?.pid as number
  expect(await sbx.whenGuestProcessClosed).toBe(exitCode)
  await expect.poll(() => group(leader)).toEqual([])
})

test('a limit of the host ends it with SIGKILL at once: no supervisor is asked', async () => {
  let asked = 0
  const isolation = shell({ descriptors: [{ read: () => () => [] }] })
  const sbx = sandbox({ noSandbox: false, isolation, limits: { lifeMs: 1500 }, globals: { asked: () => ++asked } })
  // However slow this machine is: its life may be over before it has loaded.
  await sbx.execContainer({ source: 'process.on("SIGTERM", () => globals.asked())' }).catch(() => {})
  await sbx.whenGuestProcessClosed
  expect(sbx.guestEnd).toMatchObject({ kind: 'timeout', what: 'its life' })
  expect(asked).toBe(0)
})

const one = { files: ['a'], network: ['a'], processes: ['a'], privileges: ['a'], syscalls: [] }
const most = { files: 1, network: 1, processes: 3, privileges: 1, syscalls: 0 }

test('the default bar is within the reach of the backend, and no higher than it was', async () => {
  const isolation = shell({ holds: { layers: ['a'], walls: { ...one, processes: ['a', 'b'] } } }, { mostWalls: most })
  const sbx = sandbox({ noSandbox: false, isolation })
  expect(sbx.opts.minIsolation).toEqual({ files: 1, network: 1, processes: 2, privileges: 1, syscalls: 0 })
  await sbx.init()
  expect(sbx.isolation).toMatchObject({ layers: ['a'], isLocked: true })
})

test.each([
  ['within its reach, and not reached', { holds: { layers: ['a'], walls: { ...one, network: [] } } }, undefined, /network by 1 \(none\)/],
  ['set by the caller, beyond its reach', { holds: { layers: ['a'], walls: one } }, { files: 2 }, /files by 2 \(a\)/],
  ['set by the caller, of a backend that does not tell its walls', { holds: { layers: ['a'] } }, { files: 1 }, /does not tell which walls/],
  ['set by the caller, of a backend that tells nothing', {}, { files: 1 }, /does not tell which walls/],
])('a bar that is %s fails the launch', async (_, more, minIsolation, message) => {
  const isolation = shell(more, { mostWalls: { ...most, processes: 1 } })
  const sbx = sandbox({ noSandbox: false, isolation, ...(minIsolation === undefined ? {} : { minIsolation }) })
  await expect(sbx.execContainer({ source: 'exports.f = 1' })).rejects.toMatchObject({
    code: 'ERR_CONFINE_SETUP_FAILED',
    message: expect.stringMatching(message),
    end: { stage: 'min-isolation' },
  })
})

test('a group whose leader could not be spawned is nobody', async () => {
  const sbx = sandbox({ noSandbox: false, isolation: shell({ file: '/no/such/file' }) })
  await expect(sbx.init()).rejects.toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED' })
})
