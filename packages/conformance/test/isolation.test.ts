import { type Command, ConfineError, type IsolationBackend, type IsolationEvent, type Policy } from '@confine-sandbox/contract'
import { describe, expect, it, test } from 'vitest'
import { attacks, testIsolation } from '../src/index.ts'
import type { SandboxUnderTest } from '../src/sandbox-under-test.ts'
import { failuresOf } from './support/run-suite.ts'
import { toyBackend } from './support/toy-backend.ts'

testIsolation(toyBackend, {}, { describe, it })

const confined = (command: Command) => toyBackend.confine(command, {} as Policy)
const reading = (read: (bytes: Uint8Array) => readonly IsolationEvent[]): Partial<IsolationBackend> => ({
  confine: (command) => ({ ...confined(command), descriptors: [{ read: () => (bytes) => read(bytes) }] }),
})

const shared = () => []

/** Backends that break one thing each: which test finds it, and what that says. */
const examples: Record<string, { changes: Partial<IsolationBackend>; test: RegExp; says: RegExp }> = {
  'has no name': { changes: { name: '' }, test: /has a name/, says: /The name should be a short word; it is ""/ },
  'answers for some parts only': {
    changes: { assess: () => ({ backend: 'toy', parts: {} as never, missing: [] }) },
    test: /says how it holds/,
    says: /It should answer for each part of a policy/,
  },
  'holds a part by nothing': {
    changes: {
      assess: (policy) => {
        const { parts, ...rest } = toyBackend.assess(policy)
        return { ...rest, parts: { ...parts, network: { hold: 'exact', by: [] } } }
      },
    },
    test: /says how it holds/,
    says: /network is held exact, by \[\]/,
  },
  'confines without holding the network': {
    changes: {
      assess: (policy) => {
        const { parts, ...rest } = toyBackend.assess(policy)
        return { ...rest, parts: { ...parts, network: { hold: 'none', by: [] } } }
      },
    },
    test: /confines a command/,
    says: /Nothing holds the network, and the command was confined all the same/,
  },
  'drops the arguments of the command': {
    changes: { confine: (command) => ({ ...confined(command), args: ['--', command.file] }) },
    test: /confines a command/,
    says: /The arguments should end with the command that is confined/,
  },
  'refuses with an error that has no code': {
    changes: {
      confine: () => {
        throw new Error('no')
      },
    },
    test: /confines a command/,
    says: /It should say ERR_CONFINE_ISOLATION_UNAVAILABLE; it said Error: no/,
  },
  'writes something else each time': {
    changes: { confine: (command) => ({ ...confined(command), cwd: `/${Math.random()}` }) },
    test: /writes the same for the same/,
    says: /strictly deep-equal/,
  },
  'changes the command': {
    changes: { confine: (command) => confined(Object.assign(command, { args: ['more'] })) },
    test: /confines a command/,
    says: /Cannot assign to read only property 'args'/,
  },
  'hands on the environment': {
    changes: { confine: (command) => ({ ...confined(command), env: { ...process.env } as Record<string, string> }) },
    test: /inherits nothing/,
    says: /A variable of this process was handed on to the guest/,
  },
  'throws on noise': {
    changes: reading((bytes) => JSON.parse(new TextDecoder().decode(bytes))),
    test: /reads its reports/,
    says: /It threw: SyntaxError/,
  },
  'takes noise for a lock': {
    changes: reading(() => [{ type: 'locked' }]),
    test: /reads its reports/,
    says: /Noise was taken for a lock/,
  },
  'has one reader for all launches': {
    changes: { confine: (command) => ({ ...confined(command), descriptors: [{ read: () => shared }] }) },
    test: /reads its reports/,
    says: /Each launch should get a reader of its own/,
  },
  'throws when it should explain': {
    changes: {
      explainStart: () => {
        throw new ConfineError('ERR_CONFINE_PROTOCOL', 'no')
      },
    },
    test: /explains any start/,
    says: /It threw: ConfineError: no/,
  },
}

describe('a backend that', () => {
  test.each(Object.entries(examples))('%s fails, and the reason can be read', async (_what, { changes, test: only, says }) => {
    const found = Object.entries(await failuresOf((framework) => testIsolation({ ...toyBackend, ...changes }, {}, framework), only))
    expect(found).toHaveLength(1)
    expect(found[0]![1]).toMatch(says)
  })
})

describe('a sandbox that', () => {
  const one = attacks.filter(({ id }) => id === 'read-file')
  const failures = (answer: () => Promise<unknown>, signal?: string) => {
    const createSandbox = () => sandbox(answer)
    const subject = { createSandbox, attacks: one, ...(signal === undefined ? {} : { signal }) }
    return failuresOf((framework) => testIsolation(toyBackend, subject, framework), /onViolation is 'kill'|without isolation/)
  }

  test('lets an attack through fails, and the reason can be read', async () => {
    const found = Object.entries(await failures(async () => 'the secret'))
    expect(found).toEqual([
      [
        expect.stringContaining("tries to read a file of the host › does not get it in a sandbox where onViolation is 'kill'"),
        expect.stringContaining('The guest got through: "the secret"'),
      ],
    ])
  })

  test('does not end the guest fails, and the reason can be read', async () => {
    const found = Object.values(await failures(() => Promise.reject(new Error('no')), 'SIGSYS'))
    expect(found).toEqual([expect.stringContaining('The guest should have been ended by SIGSYS')])
  })

  test('refuses passes', async () => {
    expect(await failures(() => Promise.reject(new Error('no')))).toEqual({})
  })

  test('an attack that does not even work without isolation proves nothing, and says so', async () => {
    const attack = { ...one[0]!, source: 'exports.attempt = () => { throw new Error("blunt") }' }
    const found = await failuresOf(
      (framework) => testIsolation(toyBackend, { createSandbox: () => sandbox(async () => 1), attacks: [attack] }, framework),
      /without isolation/,
    )
    expect(Object.values(found)).toEqual([expect.stringContaining('the refusal would prove nothing: Error: blunt')])
  })
})

/** A sandbox that is none: every call gets the same answer. */
function sandbox(answer: () => Promise<unknown>): SandboxUnderTest {
  const none = async () => {}
  return {
    init: none,
    teardown: async () => 0,
    execContainer: async () => ({ cid: 1, call: answer }),
    configContainer: none,
    killContainer: none,
    listContainers: async () => [],
    on: () => {},
    whenGuestProcessClosed: Promise.resolve(0),
    guestExitSignal: 'SIGTERM',
    isolation: { isLocked: true },
  }
}
