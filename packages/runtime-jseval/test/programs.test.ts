import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import JsEvalConfineRuntime from '../src/index.ts'

/** What the original runtime's test programs do, each with the result that its users know. */
describe('programs', () => {
  test('console is the one that was given', async () => {
    const { calls } = await run('console.js')
    expect(calls).toEqual([
      ['log', 'hello, world'],
      ['error', 'hello, error'],
    ])
  })

  test('a class', async () => {
    expect((await run('class.js')).calls).toEqual([['log', 'Hello from MyClass']])
  })

  test("one of Node's modules", async () => {
    expect((await run('builtin.js')).calls).toEqual([['log', 'string']])
  })

  test('an exported function', async () => {
    const { runtime } = await run('exports.js')
    expect(await runtime.handleAPICall('ping', [5])).toEqual({ pong: 5 })
  })

  test('an exit while it loads', async () => {
    const { calls, exitCodes } = await run('exit.js')
    expect(calls).toEqual([['log', 'self closing']])
    expect(exitCodes).toEqual([1])
  })
})

async function run(program: string) {
  const calls: unknown[][] = []
  const exitCodes: unknown[] = []
  const globals = {
    console: {
      log: (...args: unknown[]) => void calls.push(['log', ...args]),
      error: (...args: unknown[]) => void calls.push(['error', ...args]),
    },
  }
  const source = readFileSync(new URL(`programs/${program}`, import.meta.url))
  const runtime = new JsEvalConfineRuntime({ source, globals })
  runtime.on('closed', (code) => exitCodes.push(code))
  await runtime.init()
  await runtime.run()
  return { runtime, calls, exitCodes }
}
