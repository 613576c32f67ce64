import assert from 'node:assert/strict'
import { isAbsolute } from 'node:path'
import {
  type Command,
  type ConfinedCommand,
  ConfineError,
  defaultPolicy,
  type IsolationBackend,
  type Policy,
  policyParts,
} from '@confine-sandbox/contract'
import { show, type TestFramework } from '../suite.ts'
import type { IsolationSubject } from './subject.ts'

/** What a backend says and writes, without a guest. */
export function testOnPaper(backend: IsolationBackend, subject: IsolationSubject, { it }: TestFramework): void {
  const command = frozen(subject.command ?? { file: process.execPath, args: ['-e', '0'], env: { LANG: 'C' } })
  const policy = frozen({ ...(subject.policy ?? defaultPolicy) })

  it('has a name', () => {
    assert.match(String(backend.name), /^[a-z][a-z0-9-]*$/, `The name should be a short word; it is ${show(backend.name)}`)
  })

  it('asks for its lock by an absolute path, if it has one', () => {
    if (backend.lockPath !== undefined) assert.ok(isAbsolute(backend.lockPath), `lockPath is ${show(backend.lockPath)}`)
  })

  it('says how it holds each part of a policy, and by what', () => {
    const assessment = backend.assess(policy)
    assert.equal(assessment.backend, backend.name)
    assert.deepEqual(Object.keys(assessment.parts).sort(), [...policyParts].sort(), 'It should answer for each part of a policy')
    for (const part of policyParts) {
      const { hold, by } = assessment.parts[part]
      assert.ok(['exact', 'coarse', 'none'].includes(hold), `${part} is held ${show(hold)}; that is no way to hold it`)
      assert.equal(by.length === 0, hold === 'none', `${part} is held ${hold}, by ${show(by)}`)
    }
    for (const { layer, reason, remedy } of assessment.missing) {
      for (const text of [layer, reason, remedy])
        assert.ok(typeof text === 'string' && text !== '', `A missing layer needs layer, reason and remedy`)
    }
    assert.deepEqual(backend.assess(policy), assessment, 'The same question should get the same answer')
  })

  it('confines a command, or says that it cannot', () => {
    const { parts } = backend.assess(policy)
    const confined = confine(backend, command, policy)
    if (confined instanceof Error) {
      const isOurs = ConfineError.is(confined) && confined.code === 'ERR_CONFINE_ISOLATION_UNAVAILABLE'
      assert.ok(isOurs, `It should say ERR_CONFINE_ISOLATION_UNAVAILABLE; it said ${confined}`)
      return
    }
    for (const part of ['files', 'network', 'processes'] as const) {
      assert.notEqual(parts[part].hold, 'none', `Nothing holds the ${part}, and the command was confined all the same: refuse it`)
    }
    assert.ok(isAbsolute(confined.file), `The program of the wrapper should be an absolute path; it is ${show(confined.file)}`)
    assert.ok(isAbsolute(confined.cwd), `Its working directory should be an absolute path; it is ${show(confined.cwd)}`)
    const end = [command.file, ...command.args]
    assert.deepEqual(confined.args.slice(-end.length), end, 'The arguments should end with the command that is confined')
    for (const text of [...confined.args, ...Object.values(confined.env)]) assert.equal(typeof text, 'string')
  })

  it('writes the same for the same, and changes neither command nor policy', () => {
    const [one, other] = [confine(backend, command, policy), confine(backend, command, policy)]
    if (one instanceof Error || other instanceof Error) return
    assert.deepEqual(dataOf(one), dataOf(other))
  })

  it('inherits nothing of the environment', () => {
    const name = 'CONFINE_CONFORMANCE_CANARY'
    process.env[name] = 'canary of the environment'
    try {
      const confined = confine(backend, command, policy)
      if (confined instanceof Error) return
      assert.equal(confined.env[name], undefined, 'A variable of this process was handed on to the guest')
      assert.deepEqual({ ...confined.env, ...command.env }, confined.env, 'A variable of the command was lost or changed')
    } finally {
      delete process.env[name]
    }
  })

  it('reads its reports as hostile bytes: each launch by itself, without throwing, and takes no noise for a lock', () => {
    const confined = confine(backend, command, policy)
    if (confined instanceof Error) return
    for (const { read, send } of confined.descriptors) {
      assert.ok(send === undefined || send instanceof Uint8Array, 'What is sent should be bytes')
      assert.notEqual(read(), read(), 'Each launch should get a reader of its own')
      for (const noise of noises) {
        const reader = read()
        for (const bytes of [noise, noise, new Uint8Array([10])]) {
          const events = assertNoThrow(() => reader(bytes))
          assert.ok(Array.isArray(events), `A reader should give a list of events; it gave ${show(events)}`)
          assert.ok(!events.some((event) => event.type === 'locked' || event.type === 'ready'), 'Noise was taken for a lock')
        }
      }
    }
  })

  it('explains any start that failed without throwing', () => {
    for (const exitCode of [null, 0, 1, 125, 255]) {
      for (const stderr of ['', 'x'.repeat(8192), '\0\n\ufffd', 'sandbox-exec: execvp() of failed']) {
        const explained = assertNoThrow(() => backend.explainStart?.({ exitCode, signal: exitCode === null ? 'SIGKILL' : null, stderr }))
        if (explained === undefined) continue
        for (const text of [explained.stage, explained.reason, explained.remedy]) assert.equal(typeof text, 'string')
      }
    }
  })
}

const noises: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array(64 * 1024).fill(0xff),
  ...[
    '\n\n\n',
    'nonsense\n',
    '{}\n',
    '[]\n',
    'null\n',
    '{"type":5}\n',
    '{"type":"nothing of the kind"}\n',
    'x'.repeat(100_000),
    '\0 \0\n',
  ].map((text) => new TextEncoder().encode(text)),
]

function confine(backend: IsolationBackend, command: Command, policy: Policy): ConfinedCommand | Error {
  try {
    return backend.confine(command, policy)
  } catch (error) {
    return error instanceof Error ? error : new Error(`It threw ${show(error)}, which is no Error`)
  }
}

function assertNoThrow<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    assert.fail(`It threw: ${error}`)
  }
}

/** Without the functions, which are made anew. */
function dataOf(confined: ConfinedCommand): unknown {
  return { ...confined, descriptors: confined.descriptors.map(({ send }) => ({ send })) }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const item of Object.values(value)) frozen(item)
  return Object.freeze(value)
}
