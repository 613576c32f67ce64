import assert from 'node:assert/strict'
import type { ApiChild, ApiDescription } from '@confine-sandbox/contract'
import { rejection, show, type TestFramework } from '../suite.ts'
import { type Starter, withRuntime } from './start.ts'
import type { RuntimeSubject } from './subject.ts'

type Use = (test: (starter: Starter) => Promise<void>) => () => Promise<void>

/** Calls in both directions, and what they find. */
export function testCalls(use: Use, { programs, unknownNames = [] }: RuntimeSubject, { it }: TestFramework): void {
  it(
    'calls an exported function',
    use(async ({ start }) => {
      const { call } = await start(programs.addOne)
      assert.equal(await call('addOne', 5), 6)
      assert.equal(await call('addOne', -1), 0)
    }),
  )

  it(
    'answers many calls at once, each with its own answer',
    use(async ({ start }) => {
      const { call } = await start(programs.addOne)
      const numbers = Array.from({ length: 50 }, (_, index) => index)
      assert.deepEqual(
        await Promise.all(numbers.map((number) => call('addOne', number))),
        numbers.map((number) => number + 1),
      )
    }),
  )

  it(
    'takes no parameters for an empty list of them',
    use(async ({ start }) => {
      const { runtime } = await start(programs.counter)
      assert.equal(await (runtime.handleAPICall as (name: string) => Promise<unknown>)('next'), 1)
    }),
  )

  it(
    'describes what it exports, and nothing that is not there',
    use(async ({ start }) => {
      const { runtime } = await start(programs.addOne)
      assert.deepEqual(namesOf(runtime.describeAPI()), ['addOne'])
    }),
  )

  for (const name of [...inheritedNames, ...unknownNames]) {
    it(
      `finds no function named ${show(name)}`,
      use(async ({ start }) => {
        const { call } = await start(programs.addOne)
        const error = await rejection(`a call of ${show(name)}`, call(name))
        assert.equal(error.code, -1, `A call of ${show(name)} should say MethodNotFound, code -1; it said ${error}`)
        assert.equal(error.name, 'MethodNotFound')
        assert.equal(await call('addOne', 1), 2, 'The program was spoilt by a call of a name that is not there')
      }),
    )
  }

  if (programs.nested !== undefined) {
    const { nested } = programs
    it(
      'calls a nested function on the object that holds it',
      use(async ({ start }) => {
        const { call, runtime } = await start(nested)
        assert.deepEqual([await call('counter.next'), await call('counter.next')], [1, 2])
        assert.deepEqual(namesOf(runtime.describeAPI()), ['counter.next'])
        for (const name of ['counter', 'counter.', '.counter.next', 'counter..next', 'counter.constructor', 'counter.next.call', 'next']) {
          const error = await rejection(`a call of ${show(name)}`, call(name))
          assert.equal(error.code, -1, `A call of ${show(name)} should say MethodNotFound, code -1; it said ${error}`)
        }
      }),
    )
  }

  if (programs.sleep !== undefined) {
    const { sleep } = programs
    it(
      'comes back from a wait of its own, and answers meanwhile',
      use(async ({ start }) => {
        const { call } = await start(sleep)
        assert.deepEqual(await Promise.all([call('sleep', 30), call('sleep', 1), call('sleep', 0)]), [30, 1, 0])
      }),
    )
  }

  for (const [index, value] of (programs.echo?.values ?? []).entries()) {
    it(
      `takes and gives value ${index + 1}: ${describe(value)}`,
      use(async ({ start }) => {
        const { call } = await start(programs.echo!.program)
        // A copy of this realm: a runtime may give back live values.
        assert.deepEqual(structuredClone(await call('echo', value)), structuredClone(value))
      }),
    )
  }

  if (programs.later !== undefined) {
    const { later } = programs
    it(
      'waits for what a function promises',
      use(async ({ start }) => {
        const { call } = await start(later)
        assert.deepEqual(await Promise.all([call('later', 'a'), call('later', 'b')]), ['a', 'b'])
      }),
    )
  }

  if (programs.viaHost !== undefined) {
    const { viaHost } = programs
    it(
      'lets the program call the host and wait for it',
      use(async ({ start }) => {
        const { call } = await start(viaHost)
        assert.equal(await call('viaHost', 5), 7)
        assert.deepEqual(await Promise.all([call('viaHost', 1), call('viaHost', 2), call('viaHost', 3)]), [3, 4, 5])
      }),
    )

    it(
      'and waits for a host that takes its time',
      use(async ({ start }) => {
        const slow = async (number: number) => {
          await new Promise((resolve) => setImmediate(resolve))
          return number + 2
        }
        const { call } = await start(viaHost, { globals: { host: { addTwo: slow } } })
        assert.deepEqual(await Promise.all([call('viaHost', 1), call('viaHost', 2)]), [3, 4])
      }),
    )
  }
}

/** What happens when something fails. */
export function testErrors(use: Use, { programs }: RuntimeSubject, { it }: TestFramework): void {
  it(
    'a call that fails is rejected with an Error, and the program goes on',
    use(async ({ start }) => {
      const { call } = await start(programs.fail)
      for (let time = 0; time < 2; time++) {
        const error = await rejection('the call of fail', call('fail'))
        assert.equal(typeof error.message, 'string')
        assert.notEqual(error.code, -1, 'A function that fails is not one that is not there')
      }
    }),
  )

  it(
    'its stack tells nothing of where this process has its files',
    use(async ({ start }) => {
      const { call } = await start(programs.fail)
      const error = await rejection('the call of fail', call('fail'))
      assert.ok(!/node_modules|file:\/\/|node:internal/.test(error.stack ?? ''), `The stack names files of the runtime:\n${error.stack}`)
    }),
  )

  for (const [index, program] of (programs.thrown ?? []).entries()) {
    it(
      `whatever is thrown arrives as an Error, ${index + 1} of ${programs.thrown!.length}`,
      use(async ({ start }) => {
        const { call } = await start(program)
        await rejection('the call of now', call('now'))
        await rejection('the call of later', call('later'))
      }),
    )
  }

  for (const [index, program] of (programs.thrownAtLoad ?? []).entries()) {
    it(
      `whatever is thrown while a program loads arrives as an Error, ${index + 1} of ${programs.thrownAtLoad!.length}`,
      use(async ({ start }) => {
        await rejection('run()', start(program))
      }),
    )
  }

  if (programs.failVia !== undefined) {
    const { failVia } = programs
    it(
      'an error of the host reaches the program with its message, and the program can let it through',
      use(async ({ start }) => {
        const { call } = await start(failVia)
        const error = await rejection('the call of failVia', call('failVia'))
        assert.match(error.message, /the host failed/)
      }),
    )
  }
}

/** Limits that the runtime keeps by itself, if any. */
export function testLimits(use: Use, { programs, limits }: RuntimeSubject, { it }: TestFramework): void {
  const kinds = [
    ['time', 'loop', programs.loop, limits?.time],
    ['memory', 'grow', programs.grow, limits?.memory],
  ] as const
  for (const [kind, name, program, options] of kinds) {
    if (program === undefined || options === undefined) continue
    it(
      `a program that takes all ${kind} ends alone`,
      use(async ({ start }) => {
        const other = await start(programs.addOne)
        const greedy = await start(program, options)
        await rejection(`the call of ${name}`, greedy.call(name))
        assert.equal(await other.call('addOne', 1), 2, 'Another container was taken along')
      }),
    )
  }
}

/** What every object of some language has, and what looks like a name. No program of the suite exports any of it. */
const inheritedNames: readonly string[] = [
  '',
  '.',
  'missing',
  'addOne.',
  '.addOne',
  'addone',
  'addOne ',
  'addOne\0',
  'addOne.call',
  'addOne.constructor',
  'addOne.bind.call',
  'addOne.name',
  'constructor',
  'constructor.constructor',
  '__proto__',
  '__proto__.toString',
  '__defineGetter__',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'exports',
  'module.exports.addOne',
  'globalThis',
  'eval',
  '0',
  'host.addTwo',
]

/** The dotted names of what a runtime describes; fails when the description has another shape. */
function namesOf(description: ApiDescription): string[] {
  assert.equal(description?.type, 'api', `describeAPI() should give { type: 'api', children }; it gave ${show(description)}`)
  return below(description.children, '')
}

function below(children: readonly ApiChild[], path: string): string[] {
  assert.ok(Array.isArray(children), `children should be a list; it is ${show(children)}`)
  return children.flatMap((child) => {
    assert.equal(typeof child.name, 'string', `Each child should have a name; ${show(child)} has none`)
    if (child.type === 'method') return [path + child.name]
    assert.equal(child.type, 'object', `The type of a child should be 'method' or 'object'; it is ${show(child.type)}`)
    return below(child.children, `${path}${child.name}.`)
  })
}

function describe(value: unknown): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return typeof value === 'object' && value !== null ? `${tag}` : `${typeof value} ${show(value).slice(0, 30)}`
}

/** Runs a test with containers of one runtime. */
export function user(...[Runtime, subject]: [Parameters<typeof withRuntime>[0], RuntimeSubject]): Use {
  return (test) => () => withRuntime(Runtime, subject, test)
}
