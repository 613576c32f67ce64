import { expect, test, vi } from 'vitest'
import { sandbox } from './support.ts'

// What is too much for the receiver is refused by its sender: nobody is ended for a large value.

const source = `
  exports.length = (list) => list.length
  exports.keys = (count) => ({ found: Object.fromEntries(Array.from({ length: count }, (_, i) => ['key ' + i, i])) })
  exports.functions = (count) => Array.from({ length: count }, () => () => 1)
  exports.give = async () => { try { await globals.take(exports.keys(200000)) } catch (error) { return [error.code, error.message] } }
  exports.throws = () => { throw Object.assign(new Error('large'), exports.keys(200000)) }
  exports.stream = async function* () { yield 1; yield exports.keys(200000) }`

test('a value that would be too much for the guest is refused before it is sent', async () => {
  const sbx = sandbox()
  const container = await sbx.execContainer({ source })
  const keys = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`key ${i}`, i]))
  await expect(container.call('length', [[1, keys]])).rejects.toMatchObject({
    code: 'ERR_CONFINE_LIMIT',
    message: expect.stringMatching(/^params\[0\]\[1\].*work/),
  })
  const functions = Array.from({ length: 60_000 }, () => () => 1)
  await expect(container.call('length', [functions])).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
  expect(await container.call('length', [functions.slice(0, 20_000)])).toBe(20_000)
})

test('a value that would be too much for the host is refused before the guest sends it', async () => {
  const take = vi.fn()
  const sbx = sandbox({ globals: { take } })
  const container = await sbx.execContainer({ source })
  for (const [name, count] of [
    ['keys', 200_000],
    ['functions', 60_000],
  ] as const) {
    await expect(container.call(name, [count])).rejects.toMatchObject({
      code: 'ERR_CONFINE_LIMIT',
      message: expect.stringContaining('work'),
    })
  }
  expect(await container.call('give')).toEqual(['ERR_CONFINE_LIMIT', expect.stringMatching(/^params\[0\]\.found/)])
  expect(take).not.toHaveBeenCalled()
  // The error itself arrives, without what is too large of it.
  await expect(container.call('throws')).rejects.toMatchObject({
    code: 'ERR_CONFINE_GUEST_THREW',
    message: expect.stringContaining('large'),
  })
  const items = (await container.call('stream')) as AsyncIterator<unknown>
  expect(await items.next()).toEqual({ done: false, value: 1 })
  await expect(items.next()).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
  expect(Object.keys((await container.call('keys', [50_000])).found)).toHaveLength(50_000)
})
