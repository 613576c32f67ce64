import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfineError, type ConfinedCommand, type IsolationBackend, type IsolationEvent } from '../../../packages/contract/src/index.ts'
import { type CoreSandboxOptions, resolveRuntime, Sandbox } from '../../../packages/core/src/index.ts'
import { defaultLimits } from '../../../packages/ipc/src/limits.ts'
import { type Message, MessageCodec } from '../../../packages/ipc/src/message.ts'
import { HostileFrames, Random } from './bend.ts'
import { originals } from './corpus.ts'
import { heapMiB, reported, task, threadMs } from './report.ts'
import { answer, many, tempers } from './tempers.ts'

// Guests that are no guests: a shell says whatever the protocol has, true or bent, at any moment of a life: before the lock, between the lock and
// its word that it is ready, while the host asks it, when the host has closed. It costs little, so there are many of them.

const { seed, frames, directory = '' } = task()
const random = new Random(seed)
const globals = Object.fromEntries(tempers.map((name) => [name, (...params: unknown[]) => answer(name, params)]))
const codec = new MessageCodec(defaultLimits, { errorStacks: true })
const bent = new HostileFrames(originals('guest'), random)
const kinds: Record<string, number> = {}
let said = 0
let lives = 0

const error = { name: 'Error', message: 'm', stack: 's', code: 'c' }
const bytes = (length: number) => Buffer.alloc(length, random.below(256))
const notices: readonly (() => Message)[] = [
  () => notice('ready'),
  () => notice('failed', error),
  () => notice('failed', 5),
  () => notice('uncaught', error),
  () => notice('learned', bytes(100), undefined, bytes(random.of([0, 5, 200_000]))),
  () => notice('learned', 'code'),
  () => notice('learned'),
  () => ({ type: 'notify', cid: 1 + random.below(3), method: 'closed', params: [random.of([0, 3, -1, 0.5, 'x'])] }),
  () => ({ type: 'notify', cid: random.below(3), method: 'error', params: [error] }),
  () => ({ type: 'notify', cid: random.below(3), method: 'console', params: ['log', ['text', { a: 1 }], random.below(5)] }),
  () => ({ type: 'result', id: 1 + random.below(4), value: random.of<unknown>([undefined, {}, { children: [] }, [1, 'a']]) }),
  () => ({ type: 'failure', id: 1 + random.below(4), error }),
  () => ({
    type: 'request',
    id: 1 + random.below(50),
    cid: random.below(3),
    parent: random.below(4),
    method: random.of(tempers),
    params: [1],
  }),
  () => ({ type: 'cancel', id: random.below(50) }),
]

function notice(method: string, ...params: unknown[]): Message {
  return { type: 'notify', cid: random.below(10) === 0 ? 1 : 0, method, params }
}

function framed(message: Message): Buffer {
  const body = codec.encode(message)
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame.set(body, 4)
  return frame
}

/** What a guest says at one time: mostly what a guest may say at some time. */
function words(): Buffer {
  const count = random.of([0, 0, 1, 1, 2, 5, 40])
  said += count
  return Buffer.concat(
    Array.from({ length: count }, () => {
      const kind = random.below(20)
      if (kind === 0) return bent.wild()
      return kind === 1 ? bent.soft() : framed(random.of(notices)())
    }),
  )
}

/** What a guest should say up to its first answer, or a part of it. */
const truths = [
  () => [],
  () => [notice('learned', bytes(9), bytes(9), undefined)],
  () => [notice('ready')],
  () => [notice('learned'), notice('ready')],
]

/** One thing that a shell does. */
function step(index: number, life: string): string {
  const file = join(life, String(index))
  const say = (content: Buffer) => {
    writeFileSync(file, content)
    return `cat ${file} >&3 2>/dev/null`
  }
  switch (random.below(12)) {
    case 0:
    case 1:
      return 'echo locked >&4'
    case 2:
    case 3:
      return say(Buffer.concat(random.of(truths)().map(framed)))
    case 4:
      return say(Buffer.concat([notice('ready'), { type: 'result', id: 1, value: {} } as Message].map(framed)))
    case 5:
      return `read -t 1 line <&3 2>/dev/null || sleep 0.0${random.below(4)}`
    case 6:
      return random.of(['head -c 100 <&3 >/dev/null', 'cat <&3 >/dev/null &', 'echo noise; echo noise >&2'])
    case 7:
      return random.below(4) === 0
        ? random.of(['exit 3', 'kill -9 $$', 'kill -SYS $$', 'exec 3>&- 3<&-', 'exec 4>&- 4<&-', 'kill -STOP $$'])
        : ':'
    case 8:
      return `sleep 0.0${random.below(5)}`
    default:
      return say(words())
  }
}

function backend(script: string): IsolationBackend {
  const events: Readonly<Record<string, IsolationEvent>> = { locked: { type: 'locked' } }
  return {
    name: 'shell',
    ...(random.below(3) === 0 ? {} : { lockPath: '/lock' }),
    assess: () => ({ backend: 'shell', parts: {} as never, missing: [] }),
    confine: (): ConfinedCommand => ({
      file: '/bin/sh',
      args: ['-c', script, directory],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      holds: { layers: ['a shell'] },
      descriptors: [
        {
          read: () => (chunk) =>
            chunk
              .toString()
              .split('\n')
              .flatMap((line) => events[line] ?? []),
        },
      ],
    }),
  }
}

const bundle = join(directory, 'guest.cjs')

/** One guest, from its launch to its end, and what a host asks of it at any moment. */
async function life(): Promise<void> {
  const own = join(directory, String(lives++))
  mkdirSync(own)
  const steps = Array.from({ length: 1 + random.below(10) }, (_, index) => step(index, own))
  // Many get as far as they can.
  if (random.below(2) === 0) {
    const file = join(own, 'start')
    writeFileSync(file, Buffer.concat([notice('ready'), { type: 'result', id: 1, value: {} } as Message].map(framed)))
    steps.unshift('echo locked >&4', `cat ${file} >&3`)
  }
  const ending = random.of(['exec sleep 1000', 'exec cat <&3 >/dev/null', 'exit 0', 'exec 3>&- 3<&-; exec sleep 1000'])
  // An earlier one of this runtime may have taught.
  writeFileSync(bundle, `exports.a = ${lives}`)
  const runtime = { ...resolveRuntime(join(directory, 'runtime.cjs')), bundle, maxContainers: 1 + random.below(3) }
  const options: CoreSandboxOptions = {
    runtime,
    globals,
    isolation: backend(`trap '' PIPE; ${[...steps, ending].join('; ')}`),
    startTimeoutMs: 30 + random.below(400),
    loadTimeoutMs: 30 + random.below(400),
    timeoutMs: 30 + random.below(300),
    standby: random.below(2) === 0,
    transport: random.below(4) === 0 ? 'unix' : 'inherited',
    spawner: random.below(4) === 0,
    limits: random.below(3) === 0 ? { lifeMs: 20 + random.below(500) } : {},
  }
  const sbx = new Sandbox(options)
  if (random.below(2) === 0) sbx.on('console', () => {})
  const asked: Promise<unknown>[] = []
  const acts: readonly (() => Promise<unknown>)[] = [
    () => sbx.init(),
    () => sbx.execContainer({ source: 'x'.repeat(random.of([1, 1, 300_000])), idleTimeoutMs: 100 }),
    () => sbx.handleAPICall(1, 'f', [async () => 1, many(), 'x'.repeat(random.of([1, 1, 100_000]))]),
    () => sbx.configContainer({ cid: 1, opts: {} }),
    () => sbx.killContainer({ cid: 1 }),
    async () => sbx.guestProcess?.kill('SIGKILL'),
  ]
  const ask = (one: Promise<unknown>) => {
    asked.push(one)
    one.catch(() => {})
  }
  ask(sbx.execContainer({ source: '' }))
  for (let i = random.below(8); i > 0; i--) {
    if (random.below(2) === 0) await delay(random.below(25))
    ask(random.of(acts)())
  }
  if (random.below(4) === 0) await delay(random.below(500))
  // An end that never comes would be seen by who runs this.
  if (random.below(3) === 0) await Promise.allSettled(asked)
  asked.push(sbx.teardown())
  for (const one of await Promise.allSettled(asked)) {
    if (one.status === 'rejected' && !ConfineError.is(one.reason)) throw new Error('Rejected with something else', { cause: one.reason })
  }
  await sbx.whenGuestProcessClosed
  if ((await sbx.listContainers()).length > 0 || sbx.isGuestProcessActive) throw new Error('Something was left', { cause: sbx.guestEnd })
  if (sbx.ipc !== undefined && sbx.ipc.pendingRequests > 0) throw new Error('A request was left without an answer')
  rmSync(own, { recursive: true })
  const kind = sbx.guestEnd?.kind ?? 'none'
  kinds[kind] = (kinds[kind] ?? 0) + 1
}

await reported(async () => {
  writeFileSync(join(directory, 'runtime.cjs'), '')
  Error.stackTraceLimit = 0
  const several = async () => {
    while (said < frames) await life()
  }
  for (let i = 0; i < 20; i++) await life()
  await delay(1500)
  const before = held()
  const heaps = [await heapMiB()]
  said = 0
  let worstMs = 0
  let last = threadMs()
  const clock = setInterval(() => {
    worstMs = Math.max(worstMs, threadMs() - last)
    last = threadMs()
  }, 5)
  await Promise.all([several(), several(), several(), several()])
  clearInterval(clock)
  // Timers of guests that are gone run for some seconds more.
  for (let i = 0; i < 30 && isMore(held(), before); i++) await delay(500)
  const after = held()
  if (isMore(after, before)) throw new Error(`Something was left: ${JSON.stringify({ before, after })}`)
  // Those that keep nobody alive too, and hold what they were for.
  let heap = await heapMiB()
  for (let i = 0; i < 10 && heap > (heaps[0] as number) + 4; i++) {
    await delay(1000)
    heap = await heapMiB()
  }
  heaps.push(heap)
  return { frames: said, lives, kinds, worstMs, heapMiB: heaps, cpuS: Math.round(threadMs() / 100) / 10 }
})

function held(): Record<string, number> {
  const resources = process.getActiveResourcesInfo()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    others: resources.filter((name) => name !== 'Timeout').length,
    children: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isChild(name)).length,
  }
}

function isChild(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid
  } catch {
    return false
  }
}

function isMore(now: Record<string, number>, before: Record<string, number>): boolean {
  return Object.entries(now).some(([name, count]) => count > (before[name] as number))
}
