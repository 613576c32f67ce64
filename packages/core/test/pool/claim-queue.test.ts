import { expect, test } from 'vitest'
import { ClaimQueue } from '../../src/pool/claim-queue.ts'

const forEver = { signal: undefined, timeoutMs: Number.POSITIVE_INFINITY }

test('tenants take turns, and within a tenant the first comes first', async () => {
  const queue = new ClaimQueue<number>()
  const served: string[] = []
  const waits = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) =>
    queue.wait({ tenant: name[0], ...forEver }).then((guest) => served.push(`${name}:${guest}`)),
  )
  for (let guest = 0; guest < waits.length; guest++) queue.next()?.give(guest)
  await Promise.all(waits)
  expect(served).toEqual(['a1:0', 'b1:1', 'c1:2', 'a2:3', 'b2:4', 'a3:5'])
  expect(queue.size).toBe(0)
  expect(queue.next()).toBeUndefined()
})

test('who comes back at once waits behind who was there', async () => {
  const queue = new ClaimQueue<number>()
  void queue.wait({ tenant: 'greedy', ...forEver })
  void queue.wait({ tenant: 'patient', ...forEver })
  queue.next()?.give(1)
  void queue.wait({ tenant: 'greedy', ...forEver })
  expect(queue.next()?.tenant).toBe('patient')
})

test('aborted and late claims leave, and their listeners with them', async () => {
  const queue = new ClaimQueue<number>()
  const controller = new AbortController()
  const aborted = queue.wait({ tenant: undefined, signal: controller.signal, timeoutMs: 1000 })
  const late = queue.wait({ tenant: undefined, signal: undefined, timeoutMs: 1 })
  controller.abort(new Error('changed my mind'))
  await expect(aborted).rejects.toMatchObject({ code: 'ERR_CONFINE_ABORTED', cause: controller.signal.reason })
  await expect(late).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT' })
  expect(queue.size).toBe(0)
})

test('all can be refused', async () => {
  const queue = new ClaimQueue<number>()
  const waits = Promise.allSettled([queue.wait({ tenant: 'a', ...forEver }), queue.wait({ tenant: 'b', ...forEver })])
  queue.refuseAll(new Error('closed'))
  expect((await waits).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(queue.size).toBe(0)
})
