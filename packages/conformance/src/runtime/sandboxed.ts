import assert from 'node:assert/strict'
import type { ContainerUnderTest, SandboxUnderTest } from '../sandbox-under-test.ts'
import { defaultPatienceMs, rejection, show, type TestFramework, within } from '../suite.ts'
import { hostFunctions, optionsOf } from './start.ts'
import type { Program, RuntimeSubject, SandboxOptions } from './subject.ts'

/** The same programs in a guest process. Nothing of it may break the policy: a runtime that reads a file too late shows here. */
export function testSandboxed(
  subject: RuntimeSubject,
  createSandbox: NonNullable<RuntimeSubject['createSandbox']>,
  { it }: TestFramework,
): void {
  const { programs, options } = subject
  const patienceMs = subject.patienceMs ?? defaultPatienceMs

  /** Runs a test with one sandbox and one program in it, and looks for violations afterwards. */
  const use =
    (program: Program, test: (container: ContainerUnderTest, sandbox: SandboxUnderTest) => Promise<void>, more?: Partial<SandboxOptions>) =>
    async () => {
      const sandbox = createSandbox({ globals: { host: hostFunctions() }, ...more })
      const violations: string[] = []
      sandbox.on('violation', ({ syscall, path }) => violations.push(path === undefined ? syscall : `${syscall} ${path}`))
      const check = () =>
        assert.deepEqual(violations, [], 'The runtime does what a locked guest may not: do it in prepare(), or when the module loads')
      try {
        const container = await within(patienceMs, 'execContainer()', sandbox.execContainer({ ...options, ...optionsOf(program) }))
        assert.ok(sandbox.isolation.isLocked, 'The guest should be locked before the program runs')
        await within(patienceMs, 'the test', test(container, sandbox))
      } catch (error) {
        // The violation is the reason of whatever else failed.
        check()
        throw error
      } finally {
        await sandbox.teardown()
      }
      check()
    }

  it(
    'calls, lists, configures and kills, locked and without a violation',
    use(programs.addOne, async (container, sandbox) => {
      assert.equal(await container.call('addOne', [5]), 6)
      assert.deepEqual(
        (await sandbox.listContainers()).map(({ cid }) => cid),
        [container.cid],
      )
      await sandbox.configContainer({ cid: container.cid, opts: { unheard: 'of' } })
      assert.equal(await container.call('addOne', [6]), 7)
      const closed = Promise.withResolvers<unknown>()
      sandbox.on('container-closed', closed.resolve)
      await sandbox.killContainer(container)
      assert.deepEqual(await closed.promise, { cid: container.cid, exitCode: 0 })
      await rejection('a call of a killed container', container.call('addOne', [1]))
      assert.deepEqual(await sandbox.listContainers(), [])
    }),
  )

  it(
    'finds no function that is not there',
    use(programs.addOne, async (container) => {
      for (const name of ['missing', '', 'toString', '__proto__.toString', 'constructor', 'addOne.call', 'host.addTwo']) {
        const error = await rejection(`a call of ${show(name)}`, container.call(name))
        assert.equal(error.code, 'ERR_CONFINE_METHOD_NOT_FOUND', `A call of ${show(name)} said ${error}`)
      }
      assert.equal(await container.call('addOne', [1]), 2)
    }),
  )

  it(
    'tells an error of the program as one, and goes on',
    use(programs.fail, async (container) => {
      for (let time = 0; time < 2; time++) {
        const error = await rejection('the call of fail', container.call('fail'))
        assert.equal(error.code, 'ERR_CONFINE_GUEST_THREW', `The call of fail said ${error}`)
      }
    }),
  )

  for (const [index, program] of programs.broken.entries()) {
    it(`says that a program cannot be loaded, ${index + 1} of ${programs.broken.length}`, async () => {
      const load = use(program, async () => assert.fail('The program was loaded'))
      const error = await rejection('a broken program', load())
      assert.ok(loadCodes.has(error.code), `A broken program should say ERR_CONFINE_SOURCE_FAILED; it said ${error}`)
    })
  }

  if (programs.viaHost !== undefined) {
    it(
      'calls the functions of the host',
      use(programs.viaHost, async (container) => {
        assert.deepEqual(await Promise.all([container.call('viaHost', [1]), container.call('viaHost', [2])]), [3, 4])
      }),
    )
  }

  if (programs.failVia !== undefined) {
    it(
      'is told of an error of the host',
      use(programs.failVia, async (container) => {
        const error = await rejection('the call of failVia', container.call('failVia'))
        assert.match(error.message, /the host failed/)
      }),
    )
  }

  if (programs.echo !== undefined) {
    const { program, values } = programs.echo
    it(
      'passes values through both ways',
      use(program, async (container) => {
        for (const value of values) assert.deepEqual(await container.call('echo', [value]), structuredClone(value))
      }),
    )
  }

  for (const [index, program] of (programs.modules ?? []).entries()) {
    it(
      `loads the modules of a program, ${index + 1} of ${programs.modules?.length}`,
      use(program, async (container) => {
        assert.deepEqual(await container.call('get'), [2, 3, 4])
      }),
    )
  }

  if (programs.sleep !== undefined) {
    it(
      'keeps timers when it is locked',
      use(programs.sleep, async (container) => {
        assert.deepEqual(await Promise.all([container.call('sleep', [20]), container.call('sleep', [5])]), [20, 5])
      }),
    )
  }

  if (programs.exit !== undefined) {
    it(
      'tells the exit code of a program that ends itself',
      use(programs.exit, async (container, sandbox) => {
        const closed = Promise.withResolvers<unknown>()
        sandbox.on('container-closed', closed.resolve)
        await rejection('the call in which the program ends itself', container.call('exit', [3]))
        assert.deepEqual(await closed.promise, { cid: container.cid, exitCode: 3 })
      }),
    )
  }

  if (programs.loop !== undefined) {
    it(
      'is ended while its program never returns',
      use(programs.loop, async (container, sandbox) => {
        const call = rejection('a call that never returns', container.call('loop'))
        await within(patienceMs, 'teardown()', sandbox.teardown())
        await call
        await sandbox.whenGuestProcessClosed
      }),
    )
  }

  if (programs.grow !== undefined) {
    it(
      'reaches a limit of memory, not the end of it',
      use(
        programs.grow,
        async (container) => {
          await rejection('a call that takes all memory', container.call('grow'))
        },
        { limits: { memoryMiB: 64 } },
      ),
    )
  }
}

/** A runtime may be more exact about a program that it does not even take. */
const loadCodes = new Set<unknown>(['ERR_CONFINE_SOURCE_FAILED', 'ERR_CONFINE_BAD_OPTION', 'ERR_CONFINE_SOURCE_MISSING'])
