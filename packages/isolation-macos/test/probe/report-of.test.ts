import { describe, expect, test } from 'vitest'
import type { MacosObservations } from '../../src/probe/observe.ts'
import { macosFindingIds } from '../../src/probe/report.ts'
import { macosReportOf } from '../../src/probe/report-of.ts'

const there = (file: string) => ({ file, isThere: true })
const started = { exitCode: 0, signal: null, stderr: '' }
const nested = { exitCode: 71, signal: null, stderr: 'sandbox-exec: sandbox_apply: Operation not permitted\n' }

/** A Mac on which everything is in its place. */
const mac: MacosObservations = {
  platform: 'darwin',
  architecture: 'arm64',
  release: '25.0.0',
  uid: 501,
  groups: [20, 80],
  processor: 'Apple M4',
  isApp: false,
  programs: {
    sandboxExec: there('/usr/bin/sandbox-exec'),
    shell: there('/bin/bash'),
    env: there('/usr/bin/env'),
    ps: there('/bin/ps'),
    log: there('/usr/bin/log'),
  },
  emptyDirectory: { path: '/var/empty', isEmpty: true },
  plain: started,
  hardened: started,
}
const { plain: _, hardened: __, ...untried } = mac
const without = (name: keyof MacosObservations['programs']) => ({
  ...untried,
  programs: { ...mac.programs, [name]: { ...mac.programs[name], isThere: false } },
})

test('a Mac on which everything is in its place', () => {
  const report = macosReportOf(mac, 7)
  expect(report).toMatchObject({ platform: 'darwin', kernel: '25.0.0', tier: 'seatbelt', blockers: [], surroundings: [], durationMs: 7 })
  expect(report.findings.map(({ id }) => id)).toEqual(macosFindingIds)
  expect(report.findings.filter(({ status }) => status !== 'works').map(({ id }) => id)).toEqual(['log'])
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
})

describe('what stands in the way', () => {
  test.each<readonly [string, MacosObservations, string, object]>([
    [
      'no sandbox-exec',
      without('sandboxExec'),
      'sandbox-exec',
      { cause: 'not-installed', detail: 'There is no /usr/bin/sandbox-exec that this user may run.' },
    ],
    ['no shell', without('shell'), 'shell', { detail: 'There is no /bin/bash that this user may run.' }],
    ['no env', without('env'), 'shell', { detail: 'There is no /usr/bin/env that this user may run.' }],
    ['no ps', without('ps'), 'ps', { cause: 'not-installed' }],
    [
      'a full directory',
      { ...untried, emptyDirectory: { path: '/var/empty', isEmpty: false } },
      'empty-directory',
      { remedy: expect.stringContaining('emptyDirectory') },
    ],
    [
      'another sandbox',
      { ...mac, plain: nested, hardened: nested },
      'seatbelt',
      { cause: 'sandbox', remedy: expect.stringContaining('outside that sandbox') },
    ],
    [
      'a profile that is not understood',
      { ...mac, plain: { exitCode: 65, signal: null, stderr: 'sandbox-exec: no\n' } },
      'seatbelt',
      { cause: 'unknown', detail: 'This macOS does not understand the profile: no.' },
    ],
    [
      'an end without a word',
      { ...mac, plain: { exitCode: 3, signal: null, stderr: '' } },
      'seatbelt',
      { detail: expect.stringContaining('exit code 3') },
    ],
  ])('%s', (_, seen, id, finding) => {
    const report = macosReportOf(seen)
    expect(report).toMatchObject({ tier: 'none', blockers: [id], reason: expect.stringMatching(/^No guest can be held\. Missing first: /) })
    expect(report.findings.find((one) => one.id === id)).toMatchObject({
      status: 'missing',
      consequence: 'No guest can be held.',
      ...finding,
    })
  })

  test('of the hardened profile alone costs that alone', () => {
    const report = macosReportOf({ ...mac, hardened: { exitCode: null, signal: 'SIGSYS', stderr: '' } })
    expect(report.tier).toBe('seatbelt')
    expect(report.findings.find(({ id }) => id === 'seatbelt-hardened')).toMatchObject({
      status: 'missing',
      consequence: 'policy.hardened cannot be had.',
    })
  })

  test('of root, and of users who are no administrators', () => {
    const root = macosReportOf({ ...mac, uid: 0 })
    expect(root.findings.find(({ id }) => id === 'process-limit')).toMatchObject({ status: 'missing', cause: 'root' })
    const user = macosReportOf({ ...mac, groups: [20] })
    expect(user.findings.find(({ id }) => id === 'log')).toMatchObject({ status: 'missing', cause: 'privileges' })
  })
})

test('what this process runs in', () => {
  expect(macosReportOf({ ...mac, isApp: true, plain: nested }).surroundings).toEqual([
    { kind: 'sandbox', seenIn: 'the environment variable APP_SANDBOX_CONTAINER_ID' },
  ])
  expect(macosReportOf({ ...mac, plain: nested }).surroundings).toEqual([{ kind: 'sandbox', seenIn: 'sandbox-exec' }])
  expect(macosReportOf({ ...mac, architecture: 'x64' }).surroundings).toMatchObject([{ kind: 'rosetta' }])
})

test('another platform: the same shape, nothing of it tried', () => {
  const report = macosReportOf({ ...untried, platform: 'linux' })
  expect(report).toMatchObject({
    tier: 'none',
    blockers: ['platform'],
    reason: 'No guest can be held. Missing first: macOS: This is linux.',
  })
  expect(report.findings.map(({ id }) => id)).toEqual(macosFindingIds)
})
