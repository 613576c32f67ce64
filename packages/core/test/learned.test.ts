import { expect, test } from 'vitest'
import { fixture, sandbox } from './support.ts'

const start = async () => {
  const sbx = sandbox({ runtimePath: fixture('learning-runtime') })
  return await sbx.execContainer({ source: '' })
}

test('what the second guest learned before its first program is given to those after it, and only asked for', async () => {
  const containers = [await start(), await start()]
  expect(await Promise.all(containers.map((container) => container.call('given')))).toEqual([undefined, undefined])
  // Its own program; nobody else's.
  const third = await start()
  expect(await third.call('given')).toBe('1 ran')
  // Once a program is there, the guest's word of it is a breach: also that of the one which was asked.
  for (const container of [...containers, third]) {
    await expect(container.call('given', ['forge'])).rejects.toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
  }
  expect(await (await start()).call('given')).toBe('1 ran')
})
