import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfineError } from '@confine-sandbox/contract'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { findTracer, traced } from '../src/strace.ts'
import { unconfined } from '../src/unconfined.ts'

const tracing = { ...unconfined, traces: true }

/** A PATH with nothing but a strace that ends like this. */
function pathWithStrace(exitCode: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'confine-strace-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'strace'), `#!/bin/sh\nexit ${exitCode}\n`)
  chmodSync(join(directory, 'strace'), 0o755)
  return directory
}

function usePath(path: string): void {
  vi.stubEnv('PATH', path)
  onTestFinished(() => void vi.unstubAllEnvs())
}

describe('who traces', () => {
  test('is strace where it is and may', () => {
    const path = pathWithStrace(0)
    usePath(`relative:/nowhere:${path}`)
    expect(findTracer(tracing)).toEqual({ by: 'strace', file: join(path, 'strace') })
    expect(findTracer(unconfined)).toEqual({ by: 'strace', file: join(path, 'strace') })
  })

  test.each([
    ['it is not there', () => '/nowhere'],
    ['it may not trace', () => pathWithStrace(1)],
    ['there is no PATH', () => ''],
  ])('is the backend where %s', (_name, path) => {
    usePath(path())
    expect(findTracer(tracing)).toEqual({ by: 'backend' })
  })

  test.each([
    ['it is not there', () => '/nowhere', /no strace program.*Install it/],
    ['it may not trace', () => pathWithStrace(1), /may not trace.*Allow ptrace/],
  ])('is nobody where %s and the backend cannot', (_name, path, message) => {
    usePath(path())
    const error = thrown(() => findTracer(unconfined))
    expect(ConfineError.is(error) && error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
    expect((error as Error).message).toMatch(message)
  })
})

test('strace writes behind the descriptors of the wrapper', () => {
  const command = { file: '/launcher', args: ['a'], env: {}, cwd: '/', descriptors: [{ read: () => () => [] }] }
  expect(traced(command, '/bin/strace')).toEqual({
    traceDescriptor: 5,
    command: { ...command, file: '/bin/strace', args: ['-f', '-qq', '-o', '|exec cat >&5', '--', '/launcher', 'a'] },
  })
})

function thrown(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}
