import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { AbstractConfineRuntime, APIDescription, APIMethod, APIObject, MethodNotFound } from '../src/abstract-runtime.ts'

test('the classes are those of npm abstract-confine-runtime', () => {
  const npm = createRequire(import.meta.url)('abstract-confine-runtime')
  expect({ AbstractConfineRuntime, APIDescription, APIMethod, APIObject, MethodNotFound }).toEqual(npm)
})

test('a subclass is typed and works', async () => {
  class Mine extends AbstractConfineRuntime {
    override describeAPI() {
      return new APIDescription([new APIMethod('a'), new APIObject('b', [new APIMethod('c')])])
    }
  }
  const mine = new Mine({ source: 'x', globals: {} })
  let exitCode: number | undefined
  mine.on('closed', (code) => {
    exitCode = code
  })
  mine.emit('closed', 4)
  expect([mine.source, exitCode]).toEqual(['x', 4])
  expect(JSON.parse(JSON.stringify(mine.describeAPI()))).toEqual({
    type: 'api',
    children: [
      { type: 'method', name: 'a' },
      { type: 'object', name: 'b', children: [{ type: 'method', name: 'c' }] },
    ],
  })
})

test('the error for unknown methods has its code', () => {
  expect(new MethodNotFound('x')).toMatchObject({ code: -1, name: 'MethodNotFound', message: 'x' })
})
