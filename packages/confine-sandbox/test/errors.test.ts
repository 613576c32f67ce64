import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']
const repository = fileURLToPath(new URL('../../..', import.meta.url))

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

const source = `
exports.plain = () => { throw Object.assign(new RangeError('far'), { code: 'EFAR', details: { at: 3 } }) }
exports.fields = () => { throw Object.assign(new TypeError('odd'), { line: 4, list: [1n] }) }
exports.caused = () => { throw new Error('outer', { cause: new SyntaxError('inner') }) }
exports.many = async () => { throw new AggregateError([new Error('one'), new TypeError('two')], 'several') }
exports.own = () => { class OwnError extends Error { name = 'OwnError' } throw new OwnError('mine') }
exports.parsed = () => JSON.parse('{')
exports.awaited = async () => { await null; return [1].map(() => { throw new Error('in a callback') }) }
exports.timer = () => new Promise((resolve, reject) => setTimeout(() => reject(new Error('in a timer')), 1))
exports.host = async () => await host.fail()
exports.text = () => { throw 'just text' }
exports.nothing = () => { throw undefined }
exports.evil = () => { throw { get message() { throw new Error('getter') }, get name() { throw 1 }, get stack() { return {} } } }
exports.claim = () => { throw Object.assign(new Error('forged'), { code: 'ERR_CONFINE_TIMEOUT', isOurs: true }) }
`

test.each(runtimes)(
  '%s: what a program throws arrives with its data, and its stack names sourcePath and nothing of the host',
  async (runtime) => {
    const globals = {
      host: {
        fail: () => {
          throw Object.assign(new RangeError('of the host'), { code: 'EHOST', secret: 'x' })
        },
      },
    }
    const sbx = sandbox({ runtime, globals })
    const container = await sbx.execContainer({ source, sourcePath: '/plugins/first.js' })
    const thrown = async (name: string): Promise<any> => {
      const error = await container.call(name).catch((failure) => failure)
      expect(error, name).toMatchObject({ name: 'ConfineError', code: 'ERR_CONFINE_GUEST_THREW' })
      expect(error.guestStack ?? '', name).not.toMatch(new RegExp(`${RegExp.escape(repository)}|node:internal|isolated-vm|confine:|dist/`))
      return error
    }
    expect(await thrown('plain')).toMatchObject({ errorName: 'RangeError', message: 'far', errorCode: 'EFAR', details: { at: 3 } })
    expect(await thrown('fields')).toMatchObject({ errorName: 'TypeError', details: { line: 4, list: [1n] } })
    const caused = await thrown('caused')
    expect(caused.cause).toMatchObject({ name: 'SyntaxError', message: 'inner' })
    expect(JSON.stringify(caused.cause.stack)).not.toContain(repository)
    expect(await thrown('many')).toMatchObject({
      errorName: 'AggregateError',
      message: 'several',
      details: { errors: [expect.objectContaining({ message: 'one' }), expect.objectContaining({ name: 'TypeError', message: 'two' })] },
    })
    expect(await thrown('own')).toMatchObject({ errorName: 'OwnError', message: 'mine' })
    const hosts = await thrown('host')
    expect(hosts).toMatchObject({ errorName: 'RangeError', message: 'of the host', errorCode: 'EHOST' })
    expect(hosts.details).toBeUndefined()
    expect(await thrown('text')).toMatchObject({ message: expect.stringContaining('just text') })
    await thrown('nothing')
    await thrown('evil')
    expect(await thrown('claim')).toMatchObject({ errorCode: 'ERR_CONFINE_TIMEOUT' })
    for (const name of ['plain', 'parsed', 'awaited', 'timer', 'host', 'many']) {
      expect((await thrown(name)).guestStack, name).toContain('/plugins/first.js:')
    }
    const lines = (await thrown('plain')).guestStack.split('\n')
    expect(lines[0]).toBe('RangeError: far')
    expect(lines[1]).toMatch(/\/plugins\/first\.js:2:\d+\)?$/)
  },
)

test.each(runtimes)('%s: a program that does not load says where', async (runtime) => {
  const sbx = sandbox({ runtime })
  const error = await sbx.execContainer({ source: '\n\nconst a = ;', sourcePath: '/plugins/broken.js' }).catch((failure) => failure)
  expect(error).toMatchObject({ code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'SyntaxError' })
  expect(error.guestStack).toContain('/plugins/broken.js:3')
  expect(error.guestStack).not.toContain(repository)
})

test.each(runtimes)('%s: the stack of a failure goes on with the functions of the caller that wait for it', async (runtime) => {
  const sbx = sandbox({ runtime, maxContainers: 2 })
  const program = await sbx.execContainer({
    source: "exports.fail = () => { throw new Error('x') }; exports.never = () => new Promise(() => {})",
  })
  async function handleRequest(name: string, timeoutMs?: number) {
    await program.call(name, [], { timeoutMs })
  }
  async function loadPlugIn() {
    await sbx.execContainer({ source: 'let x = = 1' })
  }
  const stackOf = (failing: Promise<void>) =>
    failing.then(
      () => '',
      (error: Error) => String(error.stack),
    )
  expect(await stackOf(handleRequest('fail'))).toMatch(/at (async )?handleRequest /)
  expect(await stackOf(handleRequest('missing'))).toMatch(/at (async )?handleRequest /)
  expect(await stackOf(loadPlugIn())).toMatch(/at (async )?loadPlugIn /)
  expect(await stackOf(handleRequest('never', 50))).toMatch(/at (async )?handleRequest /)
})

test.each(runtimes)('%s: a program that is TypeScript and does not say so is told what it lacks', async (runtime) => {
  const source = 'const add = (a: number) => a\n'
  for (const text of [`${source}exports.add = add`, `${source}export { add }`]) {
    const failed = await sandbox({ runtime })
      .execContainer({ source: text })
      .catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'ERR_CONFINE_SOURCE_FAILED', message: expect.stringContaining("give the option language: 'ts'") })
    const program = await sandbox({ runtime }).execContainer({ source: text, language: 'ts' })
    expect(await program.call('add', [2])).toBe(2)
  }
})
