import { describe, expect, test } from 'vitest'
import { explainStart } from '../src/explain-start.ts'

const ended = (exitCode: number | null, signal: string | null = null, stderr = '') => ({ exitCode, signal, stderr })
const dyld = `dyld[123]: Library not loaded: /opt/custom/lib/libuv.1.dylib
  Referenced from: <AB> /opt/custom/bin/node
  Reason: tried: '/opt/custom/lib/libuv.1.dylib' (file system sandbox blocked open())`
const openssl = `node: OpenSSL configuration error:
80C0:error:80000001:system library:BIO_new_file:Operation not permitted:../deps/openssl/openssl/crypto/bio/bss_file.c:67:calling fopen(/opt/custom/ssl/openssl.cnf, rb)`

describe('explainStart', () => {
  test.each([
    ['already sandboxed', ended(71, null, 'sandbox-exec: sandbox_apply: Operation not permitted\n'), 'seatbelt', 'is already in a sandbox'],
    [
      'profile refused',
      ended(71, null, 'sandbox-exec: sandbox_apply: Invalid argument\n'),
      'seatbelt',
      'did not take the profile: Invalid argument.',
    ],
    [
      'exec denied',
      ended(71, null, "sandbox-exec: execvp() of '/a b/node' failed: Operation not permitted\n"),
      'exec',
      'could not run /a b/node: Operation not permitted.',
    ],
    ['a limit', ended(125, null, 'confine: ulimit -c 0 was refused, and the limit is 5\n'), 'limits', 'ulimit -c 0 was refused'],
    ['no env', ended(127, null, '/x/launch.sh: line 44: /usr/bin/env: No such file or directory\n'), 'exec', '/usr/bin/env: No such file'],
    ['profile not understood', ended(65, null, 'sandbox-exec: unbound variable: foo\n'), 'profile', 'unbound variable: foo.'],
    ['arguments', ended(64, null, 'Usage: sandbox-exec [options] command [args]\n'), 'arguments', 'did not take its arguments'],
    ['a library', ended(null, 'SIGABRT', dyld), 'dyld', 'the library /opt/custom/lib/libuv.1.dylib,'],
    ['OpenSSL', ended(13, null, openssl), 'node', 'configuration at /opt/custom/ssl/openssl.cnf,'],
    [
      'no JIT',
      ended(null, 'SIGTRAP', 'Fatal process out of memory: Failed to reserve virtual memory for CodeRange\n'),
      'node',
      'may not make code',
    ],
    ['a killing rule', ended(null, 'SIGSYS'), 'node', 'before it was ready'],
    ['dyld without a word', ended(null, 'SIGABRT'), 'dyld', "the system's loader gave up"],
    ['dyld without a word, behind a shell', ended(134), 'dyld', "the system's loader gave up"],
    ['killed at its start', ended(null, 'SIGKILL'), 'exec', 'macOS killed node'],
  ])('explains: %s', (_, end, stage, reason) => {
    const found = explainStart(end)
    expect(found).toMatchObject({ stage, reason: expect.stringContaining(reason) })
    expect(found!.remedy).not.toBe('')
  })

  test.each([
    ['an end of its own', ended(0)],
    ['an exit code of node', ended(1, null, 'Error: no\n')],
    ["a program's own exit code 64", ended(64, null, 'usage: tool\n')],
    ["a program's own exit code 71", ended(71, null, 'tool: no\n')],
    ['words about sandbox-exec within a line', ended(1, null, 'Error: sandbox-exec: sandbox_apply: Operation not permitted')],
    ['a kill with words before it', ended(null, 'SIGKILL', 'working\n')],
    ['a request to stop', ended(null, 'SIGTERM')],
  ])('has nothing to say of %s', (_, end) => {
    expect(explainStart(end)).toBeUndefined()
  })
})
