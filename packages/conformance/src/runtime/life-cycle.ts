import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { Runtime } from '@confine-sandbox/contract'
import { rejection, show, type TestFramework, within } from '../suite.ts'
import { hostFunctions, type Started, type Starter } from './start.ts'
import type { RuntimeSubject } from './subject.ts'

const closedCode = 'ERR_CONFINE_CONTAINER_CLOSED'

/** From construction to the last event. */
export function testLifeCycle(
  use: (test: (starter: Starter) => Promise<void>) => () => Promise<void>,
  subject: RuntimeSubject,
  { it }: TestFramework,
): void {
  const { programs } = subject

  it(
    'its objects have the methods of a runtime',
    use(async ({ create }) => {
      const { runtime } = create(programs.addOne)
      for (const name of ['init', 'run', 'close', 'configure', 'describeAPI', 'handleAPICall', 'on'] as const satisfies (keyof Runtime)[]) {
        assert.equal(typeof runtime[name], 'function', `${name} should be a method; it is ${typeof runtime[name]}`)
      }
    }),
  )

  it(
    'does not change the options that it is given',
    use(async ({ start }) => {
      const globals = { host: hostFunctions() }
      const options = { globals, some: { thing: 1 } }
      const before = inspect(options, { depth: 5 })
      const { runtime } = await start(programs.addOne, options)
      await runtime.configure({ more: 1 })
      assert.equal(inspect(options, { depth: 5 }), before, 'The options object was changed')
    }),
  )

  it(
    'runs without init() having been asked for twice, or after it',
    use(async ({ create, patienceMs }) => {
      const { runtime, call } = create(programs.addOne)
      await within(patienceMs, 'init()', Promise.all([runtime.init(), runtime.init()]))
      await within(patienceMs, 'run()', runtime.run())
      assert.equal(await call('addOne', 5), 6)
    }),
  )

  if (programs.loaded !== undefined) {
    const { loaded } = programs
    it(
      'runs a program once, however often run() is called',
      use(async ({ create, patienceMs }) => {
        let loads = 0
        const { runtime } = create(loaded, { globals: { host: hostFunctions({ loaded: () => void loads++ }) } })
        await runtime.init()
        await within(patienceMs, 'run()', Promise.all([runtime.run(), runtime.run()]))
        await within(patienceMs, 'run()', runtime.run())
        await turns()
        assert.equal(loads, 1, `The program should have been run once; it was run ${loads} times`)
      }),
    )
  }

  it(
    'has no functions before it runs',
    use(async ({ create }) => {
      const { runtime, call } = create(programs.addOne)
      await runtime.init()
      const error = await rejection('a call before run()', call('addOne', 1))
      assert.equal(error.code, -1, `A call before run() should say MethodNotFound, code -1; it said ${error}`)
      assert.deepEqual([...runtime.describeAPI().children], [], 'describeAPI() should be empty before run()')
    }),
  )

  for (const opts of [undefined, null, 5, 'text', {}, { unheard: 'of' }]) {
    it(
      `goes on after configure(${show(opts)})`,
      use(async ({ start }) => {
        const { runtime, call } = await start(programs.addOne)
        await runtime.configure(opts)
        assert.equal(await call('addOne', 1), 2)
      }),
    )
  }

  it(
    'says that there is no source from init() or run(), not from the constructor alone',
    use(async ({ create, patienceMs }) => {
      const { runtime } = create({ ...optionsWithoutSource })
      const error = await rejection(
        'a runtime without a source',
        within(
          patienceMs,
          'run()',
          runtime.init().then(() => runtime.run()),
        ),
      )
      assert.equal(error.code, 'ERR_CONFINE_SOURCE_MISSING', `It should say ERR_CONFINE_SOURCE_MISSING; it said ${error}`)
    }),
  )

  for (const [what, source] of Object.entries({ 'a number': 5, null: null, 'an object': {}, 'a function': () => {} })) {
    it(
      `refuses ${what} as a source`,
      use(async ({ create, patienceMs }) => {
        const { runtime } = create({ source: source as never })
        await rejection(
          `a runtime whose source is ${what}`,
          within(
            patienceMs,
            'run()',
            runtime.init().then(() => runtime.run()),
          ),
        )
      }),
    )
  }

  for (const [index, program] of programs.broken.entries()) {
    it(
      `says what is wrong with a program that cannot be loaded, ${index + 1} of ${programs.broken.length}`,
      use(async ({ create, patienceMs }) => {
        const { runtime } = create(program)
        const loading = within(
          patienceMs,
          'run()',
          runtime.init().then(() => runtime.run()),
        )
        const error = await rejection('run() of a broken program', loading)
        assert.notEqual(error.message, '', 'The error has no message')
      }),
    )
  }

  it(
    'keeps its containers apart',
    use(async ({ start }) => {
      const [one, two] = [await start(programs.counter), await start(programs.counter)]
      assert.deepEqual([await one.call('next'), await one.call('next')], [1, 2], 'A container should keep its state between calls')
      assert.equal(await two.call('next'), 1, 'The state of one container was seen in another')
    }),
  )

  it(
    'leaves no listeners and no handlers on the process',
    use(async ({ start }) => {
      const before = processListeners()
      const { runtime, call } = await start(programs.addOne)
      await call('addOne', 1)
      await runtime.close()
      await turns()
      assert.deepEqual(processListeners(), before, 'Listeners of `process` were left behind')
    }),
  )

  testClose(use, subject, it)
}

function testClose(use: Parameters<typeof testLifeCycle>[0], { programs }: RuntimeSubject, it: TestFramework['it']): void {
  it(
    'closes once, with exit code 0, however often close() is called',
    use(async ({ start, patienceMs }) => {
      const { runtime, exitCodes } = await start(programs.addOne)
      await within(patienceMs, 'close()', Promise.all([runtime.close(), runtime.close()]))
      await within(patienceMs, 'close()', Promise.resolve(runtime.close()))
      await turns()
      assert.deepEqual(exitCodes, [0], `'closed' should have come once, with 0; it came with [${exitCodes.join(', ')}]`)
    }),
  )

  it(
    'refuses everything after close()',
    use(async (starter) => {
      const { runtime, call } = await starter.start(programs.addOne)
      await runtime.close()
      await assertClosed(starter, { runtime, call })
    }),
  )

  it(
    'can be closed before init()',
    use(async (starter) => {
      const { runtime, call, exitCodes } = starter.create(programs.addOne)
      await within(starter.patienceMs, 'close()', Promise.resolve(runtime.close()))
      await assertClosed(starter, { runtime, call })
      assert.deepEqual(exitCodes, [0], `'closed' should have come once, with 0; it came with [${exitCodes.join(', ')}]`)
    }),
  )

  it(
    'can be closed while it loads',
    use(async ({ create, patienceMs }) => {
      const { runtime, exitCodes } = create(programs.addOne)
      const loading = runtime
        .init()
        .then(() => runtime.run())
        .catch(() => {})
      await within(patienceMs, 'close()', Promise.resolve(runtime.close()))
      await within(patienceMs, 'run() of a closed runtime', loading)
      assert.deepEqual(exitCodes, [0], `'closed' should have come once, with 0; it came with [${exitCodes.join(', ')}]`)
    }),
  )

  for (const [index, wait] of (programs.wait ?? []).entries()) {
    it(
      `rejects a call that waits when it is closed, ${index + 1} of ${programs.wait!.length}`,
      use(async ({ start, patienceMs }) => {
        const { runtime } = await start(wait)
        const waiting = rejection(
          'a call that waits',
          within(patienceMs, 'a waiting call of a closed runtime', runtime.handleAPICall('wait', [])),
        )
        await turns()
        await runtime.close()
        const error = await waiting
        assert.equal(error.code, closedCode, `A waiting call should be rejected with ${closedCode}; it was with ${error}`)
      }),
    )
  }

  for (const { program, code } of programs.exitAtOnce ?? []) {
    it(
      `a program that ends itself with ${code} while it loads has not failed`,
      use(async (starter) => {
        const { runtime, call, exitCodes } = await starter.start(program)
        await turns()
        assert.deepEqual(exitCodes, [code], `'closed' should have come once, with ${code}; it came with [${exitCodes.join(', ')}]`)
        await assertClosed(starter, { runtime, call })
      }),
    )
  }

  if (programs.exit !== undefined) {
    const { exit } = programs
    it(
      'a program that ends itself in a call closes, and the call is rejected',
      use(async (starter) => {
        const { runtime, call, exitCodes } = await starter.start(exit)
        const error = await rejection('the call in which the program ends itself', call('exit', 3))
        assert.equal(error.code, closedCode, `The call should be rejected with ${closedCode}; it was with ${error}`)
        assert.deepEqual(exitCodes, [3], `'closed' should have come once, with 3; it came with [${exitCodes.join(', ')}]`)
        await assertClosed(starter, { runtime, call })
      }),
    )
  }
}

const optionsWithoutSource = { source: undefined }

async function assertClosed({ patienceMs }: Starter, { runtime, call }: Pick<Started, 'runtime' | 'call'>): Promise<void> {
  const acts = { handleAPICall: () => call('addOne', 1), init: () => runtime.init(), run: () => runtime.run() }
  for (const [name, act] of Object.entries(acts)) {
    const error = await rejection(`${name}() of a closed runtime`, within(patienceMs, `${name}() of a closed runtime`, act()))
    assert.equal(error.code, closedCode, `${name}() of a closed runtime should say ${closedCode}; it said ${error}`)
  }
  assert.deepEqual([...runtime.describeAPI().children], [], 'describeAPI() of a closed runtime should be empty')
}

function processListeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]))
}

/** Long enough for what is on its way, without a clock. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}
