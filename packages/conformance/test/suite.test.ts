import * as nodeTest from 'node:test'
import * as vitest from 'vitest'
import { rejection, show, type TestFramework, within } from '../src/suite.ts'
import { failuresOf, runSuite } from './support/run-suite.ts'

const { describe, expect, test } = vitest

test('vitest and node:test are frameworks as they are', () => {
  const frameworks: TestFramework[] = [vitest, nodeTest, { describe, it: test }]
  expect(frameworks).toHaveLength(3)
})

describe('within', () => {
  test('gives the value', async () => {
    expect(await within(1000, 'it', Promise.resolve(5))).toBe(5)
    expect(await within(1000, 'it', 5)).toBe(5)
    await expect(within(1000, 'it', Promise.reject(new Error('no')))).rejects.toThrow('no')
  })

  test('says what did not come', async () => {
    await expect(within(1, 'close()', new Promise(() => {}))).rejects.toThrow('close() did not settle within 1 ms')
  })
})

describe('rejection', () => {
  test('gives the error', async () => {
    expect(await rejection('it', Promise.reject(new RangeError('no')))).toBeInstanceOf(RangeError)
  })

  test('fails when there is none, or it is no Error', async () => {
    await expect(rejection('a call', Promise.resolve(5))).rejects.toThrow('a call should have been rejected; it gave 5')
    await expect(rejection('a call', Promise.reject('text'))).rejects.toThrow('a call was rejected with string, which is no Error')
  })

  test('lets the failure of what it waits for through', async () => {
    await expect(rejection('a call', within(1, 'a call', new Promise(() => {})))).rejects.toThrow('did not settle')
  })
})

test('show shortens', () => {
  expect(['a', () => {}, null, undefined, 1n, { a: 1 }, { a: 1n }].map(show)).toEqual([
    '"a"',
    'a function',
    'null',
    'undefined',
    '1',
    '{"a":1}',
    'an object',
  ])
})

test('what a suite registers can be run by hand', async () => {
  const register = (framework: TestFramework) =>
    framework.describe('outer', () => {
      framework.it('passes', () => {})
      framework.describe('inner', () => framework.it('fails', () => Promise.reject(new Error('why'))))
    })
  expect((await runSuite(register)).map(({ name }) => name)).toEqual(['outer › passes', 'outer › inner › fails'])
  expect(await failuresOf(register)).toEqual({ 'outer › inner › fails': 'why' })
})
