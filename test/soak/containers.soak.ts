import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Sandbox } from '../../packages/confine-sandbox/src/index.ts'

const source = "exports.get = (n) => new URLSearchParams('n=' + n).get('n')"

// V8 and the allocator keep what ended isolates leave, for the next ones: what is resident grows at first, and then no more.
test('containers one after the other leave nothing behind', async () => {
  await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  const resident: number[] = []
  for (let index = 1; index <= 1200; index++) {
    const container = await sbx.execContainer({ source })
    expect(await container.call('get', [index])).toBe(String(index))
    await container.close()
    if (index % 400 === 0) resident.push(residentMiB(sbx.guestProcess!.pid!))
  }
  expect(await sbx.listContainers()).toEqual([])
  expect(resident[2]! - resident[0]!).toBeLessThan(100)
})

test('a thousand containers at once, in four guests', async () => {
  const guests = Array.from({ length: 4 }, () => new Sandbox({ runtime: 'jsisolate-confine-runtime', limits: { memoryMiB: 1024 } }))
  try {
    for (let round = 0; round < 2; round++) {
      const containers = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => guests[index % 4]!.execContainer({ source, timeoutMs: Infinity })),
      )
      const answers = await Promise.all(containers.map((container, index) => container.call('get', [index])))
      expect(answers).toEqual(containers.map((_, index) => String(index)))
      await Promise.all(containers.map((container) => container.close()))
    }
  } finally {
    await Promise.all(guests.map((guest) => guest.teardown()))
  }
})

test('programs that do not compile, throw, or use up their memory end alone', async () => {
  await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime', limits: { memoryMiB: 2048 } })
  const good = await sbx.execContainer({ source })
  for (let index = 0; index < 20; index++) {
    await expect(sbx.execContainer({ source: 'let x = ;' })).rejects.toMatchObject({ code: 'ERR_CONFINE_SOURCE_FAILED' })
    await expect(sbx.execContainer({ files: { 'main.mjs': "import './no.js'" } })).rejects.toMatchObject({
      code: 'ERR_CONFINE_SOURCE_FAILED',
    })
    await expect(sbx.execContainer({ source: 'throw new Error()' })).rejects.toMatchObject({ code: 'ERR_CONFINE_SOURCE_FAILED' })
    const hungry = await sbx.execContainer({
      source: "exports.eat = () => { const all = []; for (;;) all.push({ x: [all.length, 'x' + all.length] }) }",
      memoryLimitMiB: 16,
    })
    await expect(hungry.call('eat')).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
    expect(await good.call('get', [index])).toBe(String(index))
  }
})

/** What a process and those below it hold. */
function residentMiB(pid: number): number {
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return children.reduce((sum, child) => sum + residentMiB(Number(child)), own)
}
