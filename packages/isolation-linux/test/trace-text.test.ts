import { expect, test } from 'vitest'
import { missedText, type TracedCall, traceText } from '../src/trace-text.ts'

const call = (number: number, args: readonly string[], more: Partial<TracedCall> = {}): TracedCall => ({
  ...{ number, args: [...args, ...new Array<string>(6 - args.length).fill('0x0')], thread: 12, fate: 'done', error: 0 },
  ...more,
})

test.each([
  [call(0, ['0x3', '0x7ffe', '0x10000']), '[12] read(3, 0x7ffe, 65536)'],
  [call(257, ['0xffffff9c', '0x7ffe', '0x80000'], { path: '/a b' }), '[12] openat(AT_FDCWD, "/a b", 0x80000, 0)'],
  [
    call(257, ['0xffffffffffffff9c', '0x7ffe', '0x0'], { path: '/etc/passwd', fate: 'failed', error: 13 }),
    '[12] openat(AT_FDCWD, "/etc/passwd", 0, 0) = -1 EACCES (refused)',
  ],
  [
    call(257, ['0xffffff9c'], { path: '/.confine/lock', fate: 'locked', error: 2 }),
    '[12] openat(AT_FDCWD, "/.confine/lock", 0, 0) = -1 ENOENT (the guest is locked)',
  ],
  [call(101, ['0x10', '0x1'], { fate: 'killed' }), '[12] ptrace(0x10, 0x1, 0, 0, 0, 0) = ? (forbidden: the guest is ended)'],
  [call(39, ['0x1', '0x2']), '[12] getpid()'],
  [call(1, ['0x1', '0x7ffe', '0x3'], { data: 'hi\n' }), '[12] write(1, "hi\\n", 3)'],
  [call(1, ['0x1', '0x7ffe', '0x100'], { data: 'x'.repeat(32) }), `[12] write(1, "${'x'.repeat(32)}"..., 256)`],
  [call(1, ['0x1', '0x7ffe', '0x3']), '[12] write(1, 0x7ffe, 3)'],
  [call(9999, ['0x1', '0x0']), '[12] syscall-9999(0x1, 0, 0, 0, 0, 0)'],
  [call(3, ['0xffffffff'], { fate: 'failed', error: 1234 }), '[12] close(-1) = -1 Unknown system error -1234 (refused)'],
])('shows a call as strace would: %#', (traced, line) => {
  expect(traceText(traced, 'x64')).toBe(`${line}\n`)
})

test('names a call by its architecture', () => {
  expect(traceText(call(56, ['0xffffff9c'], { path: '/x' }), 'arm64')).toBe('[12] openat(AT_FDCWD, "/x", 0, 0)\n')
})

test('whatever the guest wrote, it is one line that moves no cursor', () => {
  const path = '/\u001b[2J\r\n\u0000\u007f\u009b1m\u2028\u202e"\\'
  const text = traceText(call(257, ['0xffffff9c'], { path }), 'x64')
  expect(text).toMatch(/^[\x20-\x7e]+\n$/)
  expect(text).toContain('"/\\u001b[2J\\r\\n\\u0000\\u007f\\u009b1m\\u2028\\u202e\\"\\\\"')
})

test('says how many it does not show', () => {
  expect(missedText(7)).toBe('[...] 7 more system calls, too many to be shown\n')
})
