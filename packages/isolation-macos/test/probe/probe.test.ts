import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { probe } from '../../src/probe/probe.ts'

const standIn = (name: string) => join(import.meta.dirname, '..', 'stand-in', name)
let emptyDirectory: string
beforeAll(() => {
  emptyDirectory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-probe-')))
})
afterAll(() => rmSync(emptyDirectory, { recursive: true }))

test.skipIf(process.platform === 'darwin')('tries both profiles by starting node', async () => {
  const options = { platform: 'darwin', emptyDirectory, maxProcesses: 4096 } as const
  const report = await probe({ ...options, sandboxExec: standIn('sandbox-exec') })
  expect(report).toMatchObject({ tier: 'seatbelt', blockers: [], durationMs: expect.any(Number) })
  const nested = await probe({ ...options, sandboxExec: standIn('sandbox-exec-nested') })
  expect(nested).toMatchObject({ tier: 'none', blockers: ['seatbelt'], surroundings: [{ kind: 'sandbox' }] })
  const lost = await probe({ ...options, sandboxExec: standIn('sandbox-exec'), execPath: '/no/such/node' })
  expect(lost).toMatchObject({ tier: 'none', reason: expect.stringContaining('/no/such/node') })
})

test('says on this machine what it is', async () => {
  const report = await probe()
  expect(report.platform).toBe(process.platform)
  if (process.platform === 'darwin') expect(report).toMatchObject({ tier: 'seatbelt', reason: expect.stringContaining('one wall') })
  else expect(report).toMatchObject({ tier: 'none', blockers: ['platform'] })
})
