import { once } from 'node:events'
import { ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ConfinedCommand } from '@confine-sandbox/contract'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { placeOfSpawner } from '../src/spawner/shared-spawner.ts'
import { Spawner } from '../src/spawner/spawner.ts'

const command = (script: string, fields: Partial<ConfinedCommand> = {}): ConfinedCommand => ({
  file: '/bin/sh',
  args: ['-c', script],
  cwd: '/',
  env: { PATH: '/usr/bin:/bin' },
  descriptors: [],
  ...fields,
})

const endless = 'exec sleep 1000'
const statusOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/status`, 'latin1')
const parentOf = (pid: number | undefined) => Number(/^PPid:\t(\d+)/m.exec(statusOf(pid))?.[1])

/** Where it listens, as a process of the same user finds it: by a descriptor of the host's. */
function address(): string {
  const fds = readdirSync('/proc/self/fd').filter((fd) => /\/confine-\w+\/spawner \(deleted\)$/.test(linkOf(fd)))
  const path = `/proc/${process.pid}/fd/${fds[0]}`
  if (fds.length !== 1 || !statSync(path).isSocket()) throw new Error(`It does not listen where one finds it: ${fds}`)
  return path
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

describe.runIf(process.platform === 'linux')('a spawner', () => {
  let spawner: Spawner
  beforeAll(() => {
    spawner = new Spawner()
    return () => process.kill(spawner.pid as number)
  })

  const start = async (what: ConfinedCommand, count = 4) => {
    using place = await spawner.place()
    const child = place.launch(what, count)
    return { child, sockets: child.stdio.slice(1) as unknown as Socket[], exit: once(child, 'exit') }
  }

  test('starts a process with its descriptors in order, its environment, its directory, and as its own child', async () => {
    // Its sockets do not wait.
    const hear = 'hear() { while ! read line <&5; do sleep 0.01; done; echo "$line" >&3; }'
    const script = `${hear}; echo out; echo err >&2; echo "$PWD $A $(env | wc -l)" >&4; hear; hear; exit 7`
    const { child, sockets, exit } = await start(command(script, { env: { A: 'a b', PATH: '/usr/bin:/bin' }, cwd: '/usr' }), 5)
    // Not lost, though it is written before there is anybody to read it.
    sockets[4]?.write('early\n')
    const read = sockets.slice(0, 4).map((socket) => text(socket))
    await once(child, 'spawn')
    expect(parentOf(child.pid)).toBe(spawner.pid)
    expect(parentOf(spawner.pid)).toBe(process.pid)
    expect(child).toMatchObject({ exitCode: null, signalCode: null, spawnfile: '/bin/sh' })
    expect([child.stdin, child.stdout, child.stderr]).toEqual([null, sockets[0], sockets[1]])
    const closed = once(child, 'close')
    sockets[4]?.end('late\n')
    expect(await exit).toEqual([7, null])
    // PWD, OLDPWD or _ are the shell's own.
    expect(await Promise.all(read)).toEqual(['out\n', 'err\n', 'early\nlate\n', expect.stringMatching(/^\/usr a b \d\n$/)])
    expect(await closed).toEqual([7, null])
    expect(child.kill()).toBe(false)
  })

  test('kills what it has started, by any signal', async () => {
    const { child, exit } = await start(command('sleep 1000'))
    // Before it is known whether there is a process.
    await once(child, 'spawn')
    expect(child.kill('SIGUSR1')).toBe(true)
    expect(await exit).toEqual([null, 'SIGUSR1'])
    expect(child).toMatchObject({ exitCode: null, signalCode: 'SIGUSR1', killed: true })
  })

  test.each([
    ['is not there', command('', { file: '/nowhere/at/all' }), { code: 'ENOENT' }],
    ['may not be executed', command('', { file: '/etc/passwd' }), { code: 'EACCES' }],
    ['has too many arguments', command('', { args: ['x'.repeat(200_000)] }), { code: 'E2BIG' }],
    ['has an impossible argument', command('', { args: ['a\0b'] }), { code: 'ERR_INVALID_ARG_VALUE' }],
  ])('a program that %s is an error and no end of the spawner', async (_what, what, error) => {
    using place = await spawner.place()
    const child = place.launch(what, 4)
    const [failure] = await once(child, 'error')
    expect(failure).toMatchObject(error)
    expect(child.pid).toBeUndefined()
    // As Node tells it of a child that could not be spawned.
    expect(child.exitCode).toBeLessThan(0)
    expect((child.stdio.slice(1) as unknown as Socket[]).every(({ destroyed }) => destroyed)).toBe(true)
    expect(spawner.isAlive).toBe(true)
  })

  test('three hundred at once wait for their turn, and none is lost', async () => {
    const ends = Array.from({ length: 300 }, async (_, index) => {
      const { sockets, exit } = await start(command(`echo ${index}; exit ${index % 100}`))
      const said = await text(sockets[0] as Socket)
      const [code] = await exit
      for (const socket of sockets) socket.destroy()
      return [Number(said), code]
    })
    expect(await Promise.all(ends)).toEqual(ends.map((_, index) => [index, index % 100]))
  })

  test('a place that is not used is given back', async () => {
    for (let i = 0; i < 200; i++) (await spawner.place())[Symbol.dispose]()
    using place = await spawner.place()
    const child = place.launch(command('exit 0'), 4)
    expect(() => place.launch(command('exit 0'), 4)).toThrow('one launch')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('no other user finds it: it has no name, and nothing of it is on the disk', async () => {
    await start(command('exit 0')).then(({ exit }) => exit)
    const path = address()
    expect(existsSync(dirname(readlinkSync(path)))).toBe(false)
    const own = readdirSync(`/proc/${spawner.pid}/fd`).map((fd) => readlinkSync(`/proc/${spawner.pid}/fd/${fd}`))
    const listening = readFileSync('/proc/net/unix', 'latin1').matchAll(/ 00010000 0001 01 +(\d+) (.*)$/gm)
    const names = [...listening].filter(([, inode]) => own.includes(`socket:[${inode}]`)).map(([, , name]) => name)
    expect(names).toEqual([expect.stringMatching(/^\//)])
    // Who may become somebody else tries as that one, and as itself.
    if (process.geteuid?.() !== 0) return
    const find = (uid: number) => execFileSync('/bin/sh', ['-c', 'test -S "$0" && echo found', path], { uid, gid: uid, encoding: 'utf8' })
    expect(find(0)).toBe('found\n')
    expect(() => find(65534)).toThrow('Command failed')
  })

  test('what has ended is kept by nobody', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const ended = async () => {
      const { child, sockets, exit } = await start(command('exit 0'))
      expect(child).toBeInstanceOf(ChildProcess)
      await exit
      for (const socket of sockets) socket.destroy()
      return new WeakRef(child)
    }
    const all = await Promise.all(Array.from({ length: 20 }, ended))
    const kept = () => {
      collect()
      return all.filter((one) => one.deref() !== undefined).length
    }
    // The last of them may stand in a register or on the stack.
    await expect.poll(kept).toBeLessThan(5)
  })

  test('a launch that loses a connection fails, and one that is ended before it began ends', async () => {
    using place = await spawner.place()
    const child = place.launch(command(endless), 4)
    ;(child.stdio[2] as unknown as Socket).destroy()
    const ended = await Promise.race([once(child, 'error'), once(child, 'spawn').then(() => 'spawned')])
    expect(ended).toEqual([expect.objectContaining({ message: expect.stringContaining('given up') })])
    expect(child.exitCode).toBeLessThan(0)

    using other = await spawner.place()
    const early = other.launch(command(endless), 4)
    early.kill('SIGKILL')
    await Promise.race([once(early, 'error'), once(early, 'exit')])
    for (const socket of early.stdio.slice(1)) (socket as unknown as Socket).destroy()
    const { exit } = await start(command('exit 5'))
    expect(await exit).toEqual([5, null])
  })

  test('strangers are heard no further than they know the secret', async () => {
    const path = address()
    const visit = async (bytes: Buffer, isWhole: boolean) => {
      const socket = connect({ path }).on('error', () => {})
      socket.write(bytes)
      if (!isWhole) socket.end()
      await once(socket.resume(), 'close')
    }
    const guesses = [Buffer.alloc(37), Buffer.alloc(37, 255), Buffer.from(`${'0'.repeat(32)}\x01\0\0\0\x01`), Buffer.alloc(1000)]
    await Promise.all([...guesses.map((guess) => visit(guess, true)), visit(Buffer.alloc(36), false), visit(Buffer.alloc(0), false)])
    const { exit } = await start(command('exit 3'))
    expect(await exit).toEqual([3, null])
  })

  test('more connections that say nothing than it keeps do not keep the right ones out', async () => {
    const path = address()
    const idle = Array.from({ length: 1100 }, () => connect({ path }).on('error', () => {}))
    onTestFinished(() => idle.forEach((socket) => void socket.destroy()))
    await Promise.all(idle.map((socket) => once(socket, 'connect')))
    const { exit } = await start(command('exit 4'))
    expect(await exit).toEqual([4, null])
  })
})

test.runIf(process.platform === 'linux')('what a spawner has started is told as killed when the spawner is', async () => {
  const spawner = new Spawner()
  using place = await spawner.place()
  const child = place.launch(command(endless), 4)
  await once(child, 'spawn')
  process.kill(spawner.pid as number, 'SIGKILL')
  onTestFinished(() => void process.kill(child.pid as number))
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  expect(spawner.isAlive).toBe(false)
  await expect(spawner.place()).rejects.toThrow('gone')
  for (const socket of child.stdio.slice(1)) (socket as unknown as Socket).destroy()
})

test.runIf(process.platform === 'linux')('a spawner that somebody has stopped is ended when it does not answer', async () => {
  const spawner = new Spawner()
  using place = await spawner.place()
  const child = place.launch(command(endless), 4)
  await once(child, 'spawn')
  process.kill(spawner.pid as number, 'SIGSTOP')
  onTestFinished(() => void process.kill(child.pid as number))
  child.kill('SIGKILL')
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  for (const socket of child.stdio.slice(1)) (socket as unknown as Socket).destroy()
})

test('only a large host has a spawner, unless it is asked for, and a host has one', async () => {
  const size = vi.spyOn(process.memoryUsage, 'rss')
  onTestFinished(() => size.mockRestore())
  size.mockReturnValue(511 * 1024 * 1024)
  expect(placeOfSpawner('auto')).toBeUndefined()
  expect(placeOfSpawner(false)).toBeUndefined()
  size.mockImplementation(() => {
    throw new Error('EMFILE: too many open files')
  })
  expect(placeOfSpawner('auto')).toBeUndefined()
  size.mockReturnValue(512 * 1024 * 1024)
  if (process.platform !== 'linux') return
  const places = await Promise.all([placeOfSpawner('auto'), placeOfSpawner(true)])
  const children = places.map((place) => place?.launch(command(endless), 4))
  await Promise.all(children.map(async (child) => child && (await once(child, 'spawn'))))
  const [one, other] = children.map((child) => parentOf(child?.pid))
  expect(one).toBe(other)
  for (const child of children) child?.kill('SIGKILL')
  await Promise.all(children.map(async (child) => child && (await once(child, 'exit'))))
  process.kill(one as number)
})
