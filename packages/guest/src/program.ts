// The program of the guest process. It runs between the host, which it obeys, and untrusted source, which shares its
// memory with the plain runtimes. Nothing here protects the host: the operating system and the host's own checks do.
//
// 1. load the runtime  2. touch what is lazy  3. open the channel  4. ask for the lock  5. say ready  6. obey
import { AsyncLocalStorage } from 'node:async_hooks'
import { statfsSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import type { Script } from 'node:vm'
import { type Channel, ConfineError, type GuestFacts, type RuntimeClass } from '@confine-sandbox/contract'
import { defaultLimits, type ErrorPayload, type IncomingCall, inheritedChannel, Peer } from '@confine-sandbox/ipc'
import { ConsoleNotices } from './console-notices.ts'
import { Containers } from './containers.ts'
import { loadModule, loadRuntime } from './load-runtime.ts'
import { type ExecRequest, type GuestSettings, guestMethod, guestNotice, hostNotice, maxLearnedBytes } from './protocol.ts'
import { thrownPayload } from './thrown.ts'
import { exercise } from './exercise.ts'
import { mendMemoryUsage, warmUp } from './warm-up.ts'

/** Given by entry.ts: what the host said, and what V8 knows of the runtime's text. */
declare const settings: GuestSettings
declare const code: {
  readonly runtime: Uint8Array | undefined
  readonly own: Uint8Array | undefined
  /** What V8 knows by now of this program. */
  learned(): Uint8Array
}

const facts: GuestFacts = { maxContainers: settings.maxContainers, ...(code.own === undefined ? {} : { learned: code.own }) }
const exit = process.exit.bind(process)
const ownDirectories = [__dirname + sep, dirname(settings.runtime) + sep, 'node:internal']
let exitCode = 0
let isEnding = false
/** The call of the host that is being answered, by its request. */
const underWay = new AsyncLocalStorage<number | undefined>()
/** Whether that is told to whatever runs next in this step. */
let isWithin = false
let containers: Containers | undefined
/** Whether a program has come. */
let hasBegun = false

// The host made descriptor 3: a socket that nobody else holds.
const { channel, socket } = inheritedChannel(3)

const peer = openPeer(channel, requireContainers, () => exit(exitCode))

const consoleNotices = new ConsoleNotices(peer)

main().catch((error: unknown) => {
  tell(peer, 0, hostNotice.failed, error)
  end(1)
})

async function main(): Promise<void> {
  process.argv.splice(2)
  mendMemoryUsage()
  let runtimeScript: Script | undefined
  const compiled = (script: Script) => {
    runtimeScript = script
  }
  const Runtime = loadRuntime(settings.runtime, settings.isBundle ? { code: code.runtime, addons: settings.addons, compiled } : undefined)
  if (settings.warmUp !== undefined) loadModule(settings.warmUp, "the runtime's warm-up module")
  await Promise.all([warmUp(), prepare(Runtime)])
  process.on('uncaughtException', uncaught)
  containers = openContainers(peer, Runtime, containerClosed)
  if (settings.standby === true || settings.teaches === true) {
    // Where a runtime never comes to the end of it, the host can say so.
    peer.notify(0, hostNotice.rehearsing, [])
    // What is compiled is compiled by the first time. Only who waits for a use anyhow can take another one.
    await exercise(Runtime, { openPeer, openContainers, prepare }, settings.standby === true ? 2 : 1)
    leave()
    hasBegun = false
  }
  if (settings.teaches === true) teach(Runtime, runtimeScript)
  if (settings.lockPath !== undefined) lock(settings.lockPath)
  peer.notify(0, hostNotice.ready, [])
  // Meanwhile the host hears of it and sends the first program. If that is here already, it goes first.
  setImmediate(() => !hasBegun && makeAhead(Runtime))
}

/** What hears the host, here or where it is rehearsed. */
function openPeer(channel: Channel, table: () => Containers, closed: () => void): Peer {
  return new Peer({
    channel,
    request: (call) => answer(table(), call),
    invoke: (callback, { id, cid, params }) => {
      enter(id)
      return table().invoke(cid, callback, params)
    },
    within: () => underWay.getStore(),
    outside: leave,
    notify: (_cid, method, params) => {
      if (method === guestNotice.console) table().captureConsole(params[0] === true)
    },
    closed,
    describeError: describe,
    reviveError: hostError,
    errorStacks: true,
    // The host is trusted, and what it says may be read as slowly as this process is.
    limits: { ...defaultLimits, maxDecodeMs: Number.POSITIVE_INFINITY },
  })
}

/** A table of containers that speak by that peer. */
function openContainers(peer: Peer, Runtime: RuntimeClass, closed: (cid: number, exitCode: number) => void): Containers {
  return new Containers({
    Runtime,
    maxContainers: settings.maxContainers,
    callHost: (cid, name, params) => peer.request(cid, name, params),
    opened: (cid) => peer.openScope(cid),
    gone: (cid) => peer.closeScope(cid),
    closed,
    failed: (cid, thrown) => tell(peer, cid, hostNotice.error, thrown),
    logged: (cid, level, args) => consoleNotices.tell(cid, level, args),
  })
}

/** What this process has compiled of our texts, and of the runtime's. Nothing untrusted was ever here. */
function teach(Runtime: RuntimeClass, runtimeScript: Script | undefined): void {
  const parts = [() => code.learned(), () => runtimeScript?.createCachedData(), () => Runtime.learned?.()]
  peer.notify(0, hostNotice.learned, parts.map(learnedBytes))
}

/** What cannot be told, each process learns for itself. */
function learnedBytes(part: () => unknown): Uint8Array | undefined {
  try {
    const bytes = part()
    return bytes instanceof Uint8Array && bytes.length <= maxLearnedBytes ? new Uint8Array(bytes) : undefined
  } catch {
    return undefined
  }
}

/** What cannot be made ahead fails where it is needed, and can be told there. */
function makeAhead(Runtime: RuntimeClass): void {
  try {
    Runtime.makeAhead?.()
  } catch {}
}

async function prepare(Runtime: RuntimeClass): Promise<void> {
  try {
    await Runtime.prepare?.(facts)
  } catch (error) {
    throw new ConfineError('ERR_CONFINE_RUNTIME_INVALID', `The runtime's prepare() failed: ${describe(error).message}`, { cause: error })
  }
}

/** The supervisor answers with an errno. It, not this process, tells the host whether the lock holds. */
function lock(path: string): void {
  try {
    statfsSync(path)
  } catch {}
}

function requireContainers(): Containers {
  if (containers === undefined) throw new ConfineError('ERR_CONFINE_PROTOCOL', 'The guest process is not ready')
  return containers
}

function answer(containers: Containers, { id, cid, method, params }: IncomingCall): Promise<unknown> {
  if (cid === 0) {
    leave()
    return answerHost(containers, method, params)
  }
  enter(id)
  return containers.call(cid, method, params)
}

/** What is done from now on is done for a call of the host, until the next one or `leave()`: cheaper than to go back each time. */
function enter(id: number): void {
  underWay.enterWith(id)
  isWithin = true
}

function leave(): void {
  if (!isWithin) return
  underWay.enterWith(undefined)
  isWithin = false
}

async function answerHost(containers: Containers, method: string, params: unknown[]): Promise<unknown> {
  switch (method) {
    case guestMethod.exec:
      hasBegun = true
      return await containers.exec(params[0] as ExecRequest)
    case guestMethod.ping:
      return params[0]
    case guestMethod.config:
      return await containers.config(params[0] as number, params[1])
    case guestMethod.kill:
      return await containers.kill(params[0] as number)
    case guestMethod.describe:
      return containers.describe(params[0] as number)
    case guestMethod.usage:
      return await containers.usage(params[0] as number)
    case guestMethod.finish:
      await nothingLeft()
      return await containers.finish(params[0] as number)
    default:
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `The guest process knows no ${method}`)
  }
}

/** Waits until nothing but the channel keeps this process: no timer, no file that is being read. */
async function nothingLeft(): Promise<void> {
  socket.unref()
  await new Promise((resolve) => process.once('beforeExit', resolve))
  socket.ref()
}

function containerClosed(cid: number, code: number): void {
  peer.notify(cid, hostNotice.closed, [code])
  // A process made for one container has nothing left to do. Answers under way leave first.
  if (settings.maxContainers === 1) setImmediate(() => end(code & 0xff))
}

function uncaught(thrown: unknown): void {
  // What this process is told when it ends, calls that get no answer above all, is not why.
  if (isEnding || isExit(thrown)) return
  tell(peer, 0, hostNotice.uncaught, thrown)
  end(1)
}

/** A runtime unwinds a program that called process.exit() with this; the container has said `closed` by then. */
function isExit(thrown: unknown): boolean {
  try {
    return (thrown as Record<symbol, unknown> | undefined)?.[Symbol.for('confine-sandbox.exit-signal')] === true
  } catch {
    return false
  }
}

function tell(peer: Peer, cid: number, notice: string, thrown: unknown): void {
  const payload = describe(thrown)
  try {
    peer.notify(cid, notice, [payload])
  } catch {
    // Its data cannot cross: say the rest.
    peer.notify(cid, notice, [{ ...payload, details: undefined, cause: undefined }])
  }
}

/** Ends the process when everything that was said has left. */
function end(code: number): void {
  if (isEnding) return
  isEnding = true
  exitCode = code
  peer.close(new ConfineError('ERR_CONFINE_CHANNEL_CLOSED', 'The guest process is ending'))
}

function describe(thrown: unknown): ErrorPayload {
  return thrownPayload(thrown, (line) => ownDirectories.some((directory) => line.includes(directory)))
}

/** What the host's function threw, as the host chose to tell it. */
function hostError({ code, name, message }: ErrorPayload): Error {
  const error = new Error(message)
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return code === undefined ? error : Object.assign(error, { code })
}
