import { expect, test } from 'vitest'
import { describeEnd, type GuestEnd } from '../src/end.ts'

const ends: [GuestEnd, string][] = [
  [{ kind: 'exited', exitCode: 3 }, 'the guest process exited with code 3'],
  [{ kind: 'signaled', signal: 'SIGSEGV' }, 'the guest process was ended by SIGSEGV'],
  [{ kind: 'violation', signal: 'SIGSYS' }, 'the guest process made a forbidden system call and was ended with SIGSYS'],
  [
    { kind: 'violation', signal: 'SIGSYS', violation: { syscall: 'openat', path: '/a\n', args: [], time: 0, action: 'kill' } },
    'the guest process made the forbidden system call openat ("/a\\n") and was ended with SIGSYS',
  ],
  [{ kind: 'timeout', what: 'its start', timeoutMs: 5 }, 'the guest process was ended because its start took longer than 5 ms'],
  [{ kind: 'memory', signal: 'SIGABRT' }, 'the guest process reached its memory limit and was ended with SIGABRT'],
  [{ kind: 'protocol', reason: 'x' }, 'the guest process broke the call protocol (x) and was ended'],
  [{ kind: 'setup-failed', stage: 'clone', reason: 'EPERM' }, 'the guest process could not be set up: clone: EPERM'],
]

test.each(ends)('%o is one sentence', (end, sentence) => {
  expect(describeEnd(end)).toBe(sentence)
})
