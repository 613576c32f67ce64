import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Sandbox } from '../../packages/confine-sandbox/src/index.ts'

const source = "exports.get = (n) => new URLSearchParams('n=' + n).get('n')"

const count = Number(process.env.CONFINE_SOAK_CONTAINERS ?? 10_000)

// V8 and the allocator keep what ended isolates leave, for the next ones: what is resident grows at first, and then no more.
test(`${count} containers one after the other leave nothing behind`, { timeout: 30 * 60_000 }, async () => {
  await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  const resident: number[] = []
  for (let index = 1; index <= count; index++) {
    const container = await sbx.execContainer({ source: index % 10 === 0 ? source : 'exports.get = (n) => String(n)' })
    expect(await container.call('get', [index])).toBe(String(index))
    await container.close()
    if (index % (count / 10) === 0) resident.push(residentMiB(sbx.guestProcess!.pid!))
  }
  expect(await sbx.listContainers()).toEqual([])
  console.log(`resident after each tenth, MiB: ${resident.map(Math.round).join(' ')}`)
  expect(resident[9]! - resident[0]!).toBeLessThan(32)
})

// What a second crowd needs right after the first is a quarter more.
test('a thousand containers at once, in four guests', async () => {
  const guests = Array.from({ length: 4 }, () => new Sandbox({ runtime: 'jsisolate-confine-runtime', limits: { memoryMiB: 768 } }))
  try {
    for (let round = 0; round < 2; round++) {
      const containers = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => guests[index % 4]!.execContainer({ source, timeoutMs: Infinity })),
      )
      const answers = await Promise.all(containers.map((container, index) => container.call('get', [index])))
      expect(answers).toEqual(containers.map((_, index) => String(index)))
      console.log(`resident with 250 each, MiB: ${guests.map((guest) => Math.round(residentMiB(guest.guestProcess!.pid!))).join(' ')}`)
      await Promise.all(containers.map((container) => container.close()))
    }
  } finally {
    await Promise.all(guests.map((guest) => guest.teardown()))
  }
})

test('crowd after crowd, a guest takes what fits and refuses the rest', async () => {
  await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  const fitting: number[] = []
  for (let round = 0; round < 4; round++) {
    const all = await Promise.allSettled(Array.from({ length: 400 }, () => sbx.execContainer({ source, timeoutMs: Infinity })))
    const containers = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_LIMIT' })
    fitting.push(containers.length)
    const answers = await Promise.all(containers.map((container, index) => container.call('get', [index])))
    expect(answers).toEqual(containers.map((_, index) => String(index)))
    await Promise.all(containers.map((container) => container.close()))
  }
  console.log(`of 400 at once there was room for ${fitting.join(', ')}`)
  expect(Math.min(...fitting)).toBeGreaterThanOrEqual(16)
  expect(fitting[0]).toBeLessThan(400)
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
