import type { IsolationEvent, Policy } from '@confine-sandbox/contract'
import { defaultPolicy } from '@confine-sandbox/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { violationReader } from '../src/violation-reader.ts'

// Lines as people quote them of `log stream --style ndjson` (macOS 14 and 15); only what is read is in them.
const record = (eventMessage: unknown, more: object = {}) =>
  `${JSON.stringify({ processID: 0, senderImagePath: '/System/Library/Extensions/Sandbox.kext/Contents/MacOS/Sandbox', eventMessage, ...more })}\n`
const denial = (act: string, pid = 4242) => `Sandbox: node(${pid}) deny(1) ${act}\nconfine-sandbox`
const read = (text: string, policy: Partial<Policy> = {}) =>
  violationReader({ ...defaultPolicy, ...policy })(Buffer.from(`guest 4242\n${text}`))
const told = (events: readonly IsolationEvent[]) =>
  events.map((event) => (event.type === 'violation' ? event.violation : event)) as readonly object[]

describe('the unified log', () => {
  test.each<readonly [string, string, object]>([
    ['a read', 'file-read-data /private/etc/hosts', { syscall: 'file-read-data', path: '/private/etc/hosts', args: [], action: 'deny' }],
    ['a path with spaces', 'file-read-data /Users/a b/c) deny(1) d', { path: '/Users/a b/c) deny(1) d' }],
    ['a path of two lines', 'file-read-data /a\nb', { path: '/a\nb' }],
    ['a write', 'file-write-create /private/tmp/x', { syscall: 'file-write-create', path: '/private/tmp/x', action: 'kill' }],
    ['a connection', 'network-outbound remote:*:80', { syscall: 'network-outbound', args: ['remote:*:80'], action: 'kill' }],
    ['a fork', 'process-fork', { syscall: 'process-fork', args: [], action: 'kill' }],
    ['a program', 'process-exec /bin/sh', { syscall: 'process-exec', path: '/bin/sh', action: 'kill' }],
  ])('tells of %s', (_, act, violation) => {
    expect(told(read(record(denial(act))))).toEqual([expect.objectContaining(violation)])
  })

  test('a denial with files to write, or of a guest that is not ended for it, did not end it', () => {
    const line = record(denial('file-write-create /private/tmp/x'))
    expect(told(read(line, { write: ['/data'] }))).toMatchObject([{ action: 'deny' }])
    expect(told(read(record(denial('process-fork')), { onViolation: 'deny' }))).toMatchObject([{ action: 'deny' }])
  })

  test('several alike are told once, with their number', () => {
    const message = (count: string) => `${count} for ${denial('network-outbound remote:*:443')}`
    expect(told(read(record(message('3 duplicate reports'))))).toMatchObject([
      { syscall: 'network-outbound' },
      { type: 'violations-dropped', count: 2 },
    ])
    expect(told(read(record(message('1 duplicate report'))))).toMatchObject([{ syscall: 'network-outbound' }])
  })

  test('of more than 1,024 only the number is told', () => {
    const events = read(record(denial('process-fork')).repeat(1100))
    expect(events.filter(({ type }) => type === 'violation')).toHaveLength(1024)
    expect(events.filter(({ type }) => type === 'violations-dropped')).toHaveLength(76)
  })

  test.each([
    ['another guest', record(denial('process-fork', 4243))],
    ['a guest that puts the number of this one into a path', record(denial('file-read-data /node(4242) deny(1) process-fork', 7))],
    ['a program that writes like the kernel', record(denial('process-fork'), { processID: 4242 })],
    ['another part of the kernel', record(denial('process-fork'), { senderImagePath: '/kernel' })],
    ['a sandbox of somebody else', record('Sandbox: node(4242) deny(1) process-fork\nother')],
    ['what was allowed', record('Sandbox: node(4242) allow file-read-data /a\nconfine-sandbox')],
    ['what Node tries by itself', record(denial('sysctl-read kern.hostname')) + record(denial('mach-lookup com.apple.logd'))],
    ['an answer about existence', record(denial('file-read-metadata /Users'))],
    ['a message that is none', record(5) + record(null)],
    ['the heading of the log', 'Filtering the log data using "processID == 0"\n'],
    ['a line that is no object', 'null\n5\n"a"\n[]\n{\n'],
    ['a line without end', 'x'.repeat(200_000)],
  ])('says nothing of %s', (_, text) => {
    expect(read(text)).toEqual([])
  })

  test('the first number is the one that counts', () => {
    expect(read(`guest 7\n${record(denial('process-fork', 7))}`)).toEqual([])
  })

  test('never throws, and reads on, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), fc.constant(record(denial('process-fork'))))), (lines) => {
        const reader = violationReader(defaultPolicy)
        expect(reader(Buffer.from('guest 4242\n'))).toEqual([])
        for (const line of lines) reader(Buffer.from(`${line.replaceAll('\n', ' ')}\n`))
        expect(reader(Buffer.from(`\n${record(denial('process-fork'))}`))).toHaveLength(1)
      }),
      { numRuns: 50 },
    )
  })
})
