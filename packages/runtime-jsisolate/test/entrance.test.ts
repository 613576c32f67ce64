import { expect, test } from 'vitest'
import { Entrance, Places } from '../src/entrance.ts'
import { start } from './start.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

function setUp(count: number) {
  const places = new Places(count)
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const enter = (entrance: Entrance, name: string) =>
    entrance.enterLater(
      () => {
        log.push(name)
        return new Promise<void>((resolve) => ends.set(name, resolve))
      },
      (error) => log.push(`${name} failed: ${String(error)}`),
    )
  return { log, ends, enter, one: new Entrance(places), two: new Entrance(places), three: new Entrance(places) }
}

test('as many isolates run as there are places, in their order', async () => {
  const { log, ends, enter, one, two, three } = setUp(1)
  enter(one, 'a')
  enter(two, 'b')
  enter(three, 'c')
  enter(one, 'a2')
  enter(two, 'b2')
  expect(log).toEqual(['a', 'a2'])
  ends.get('a')!()
  await turn()
  expect(log).toEqual(['a', 'a2'])
  ends.get('a2')!()
  await turn()
  expect(log).toEqual(['a', 'a2', 'b', 'b2'])
  expect([one.count, two.count, three.count]).toEqual([0, 2, 1])
})

test('one that is closed gives its place back, and waits for none', async () => {
  const { log, ends, enter, one, two, three } = setUp(1)
  enter(one, 'a')
  enter(two, 'b')
  enter(three, 'c')
  two.close()
  expect(log).toEqual(['a', 'b'])
  one.close()
  expect(log).toEqual(['a', 'b', 'c'])
  for (const end of ends.values()) end()
  await Promise.all([one.empty(), two.empty(), three.empty()])
  enter(three, 'd')
  expect(log.at(-1)).toBe('d')
})

test('a failure is told, also one at once', async () => {
  const { log, one } = setUp(1)
  one.enterLater(
    () => {
      throw new Error('no')
    },
    (error) => log.push(String(error)),
  )
  await one.empty()
  expect(log).toEqual(['Error: no'])
})

test('one that is alone is entered here, never twice at a time, and in order', async () => {
  const alone = new Entrance(new Places(1), async () => {})
  const log: string[] = []
  let finish = () => {}
  const enter = (name: string, inside = () => {}) => {
    const act = () => {
      log.push(name)
      inside()
      if (name === 'wrong') throw new Error('no')
    }
    alone.enter(
      async () => log.push(`${name}, later`),
      act,
      (error) => log.push(String(error)),
    )
  }
  enter('a', () => {
    enter('b', () => enter('d'))
    enter('c')
    expect(alone.count).toBe(3)
    log.push('end of a')
  })
  enter('wrong')
  expect(log).toEqual(['a', 'end of a', 'b', 'c', 'd', 'wrong', 'Error: no'])
  await alone.empty()
  enter('e', () => {
    alone.enterLater(
      () => new Promise<void>((resolve) => (finish = resolve)),
      () => {},
    )
    enter('f')
  })
  enter('g')
  expect(log.slice(7)).toEqual(['e', 'f, later', 'g, later'])
  finish()
  await alone.empty()
  enter('h')
  expect(log.at(-1)).toBe('h')
})

test('one that is alone is visited by another thread now and then, between two turns', async () => {
  const log: string[] = []
  const alone = new Entrance(new Places(1), async () => log.push('visit'))
  const enter = (count: number) => {
    for (let i = 0; i < count; i++) {
      alone.enter(
        async () => log.push('there'),
        () => log.push('here'),
        () => {},
      )
    }
  }
  enter(63)
  await turn()
  enter(300)
  expect(new Set(log)).toEqual(new Set(['here']))
  await turn()
  expect(log.slice(363)).toEqual(['visit'])
  await alone.empty()
  enter(64)
  alone.close()
  await turn()
  expect(log.slice(364)).toEqual(Array(64).fill('here'))
})

test('hundreds of programs are called at once', async () => {
  const programs = await Promise.all(Array.from({ length: 60 }, () => start('exports.f = (n) => n + 1', { memoryLimitMiB: 8 })))
  const results = await Promise.all(Array.from({ length: 300 }, (_, index) => programs[index % 60]!.call('f', index)))
  expect(results).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
})
