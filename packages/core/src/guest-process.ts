import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { type Duplex, PassThrough, type Readable } from 'node:stream'
import type { Channel, ConfinedCommand, EndReason, GuestEnd, IsolationEvent } from '@confine-sandbox/contract'
import { type SocketLink, spawnedChannel, streamChannel } from '@confine-sandbox/ipc'
import { endFailure } from './guest-failure.ts'
import type { Place } from './spawner/spawner.ts'
import { EndEvidence, exitCodeOf, type ProcessExit } from './end-of-process.ts'

/** What a launch reports while it goes on. */
export interface GuestProcessListener {
  /** Something that the wrapper, not the guest, said. */
  isolation(event: IsolationEvent): void
  /** The process is gone and every report of it was read. Called exactly once, also when it never started. */
  ended(end: GuestEnd, exitCode: number): void
  /** What the guest wrote to its stdout or stderr. Returns a promise while it cannot take more. */
  output(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<void> | undefined
  /** A piece of the system call trace. */
  trace(chunk: Buffer): void
}

/** How a launch is done, where it is not done as usual: one of both at the most. */
export interface LaunchWay {
  readonly link?: SocketLink | undefined
  readonly place?: Place | undefined
}

/**
 * One guest process, from its spawn to its end. Nobody else spawns, but for the spawner by order of this: stdin is /dev/null, stdout and stderr are
 * pipes, 3 is the call channel, 4 and up are the wrapper's.
 */
export class GuestProcess {
  /** Whether the host has begun to end it. Until it is gone, what it says is still heard, and opens nothing. */
  isEnding = false
  readonly child: ChildProcess
  /** The host's end of descriptor 3. What is written to it by itself goes before all messages. */
  readonly socket: Duplex
  /** What says and hears messages there. To be opened in the tick that makes this. */
  readonly channel: Channel
  readonly #listener: GuestProcessListener
  readonly #open = new Set<Readable>()
  readonly #evidence = new EndEvidence()
  readonly #launched = performance.now()
  /** By a supervisor, and not by strace, which minds no signal but one. */
  readonly isSupervised: boolean
  /** Whether the process leads a group, which ends with it. */
  readonly #leadsGroup: boolean
  readonly #hasLateReports: boolean
  #exit: ProcessExit | undefined
  /** Whether all was heard that was said on the channel. */
  #isChannelOver = false
  #hasEnded = false

  /**
   * @param link A connection that stands already; without it a new pair of sockets is made.
   * @param place Another process that starts it, if it has a supervisor that ends with its parent; otherwise this one does.
   */
  constructor(
    command: ConfinedCommand,
    traceDescriptor: number | undefined,
    listener: GuestProcessListener,
    { link, place }: LaunchWay = {},
  ) {
    this.#listener = listener
    this.#leadsGroup = command.becomesGuest === true
    this.#hasLateReports = command.descriptors.some(({ isLate }) => isLate === true)
    this.isSupervised = command.descriptors.length > 0 && traceDescriptor === undefined && !this.#leadsGroup
    const extra = command.descriptors.length + (traceDescriptor === undefined ? 0 : 1)
    const startsElsewhere = this.isSupervised && place !== undefined
    this.child = startsElsewhere ? place.launch(command, 3 + extra) : launch(command, extra, link?.far)
    // Not once: a kill that the system forbids is told here too.
    this.child.on('error', (error) => this.#spawnFailed(command.file, error))
    this.child.once('exit', (exitCode, signal) => this.#exited({ exitCode, signal }))
    // A process that could not be spawned may have no streams at all.
    const streams = (this.child.stdio ?? []) as readonly (Duplex | null | undefined)[]
    const near = link?.near ?? streams[3] ?? new PassThrough().destroy()
    const { channel, socket } = openChannel(near, link === undefined && !startsElsewhere)
    this.channel = channel
    this.socket = socket
    // Whoever looks for the process's streams finds the one in use.
    Object.assign(streams, { 3: socket })
    // The guest has its own descriptor of it: this one would keep the connection open after the guest's end.
    link?.far.destroy()
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.child[name]
      if (!stream) continue
      this.#read(stream, (chunk) => {
        if (name === 'stderr') this.#evidence.overhear(chunk)
        const ready = listener.output(name, chunk)
        // What is left in the pipe of a process that is gone is little, and the last that it said.
        if (this.#exit === undefined) holdBack(stream, ready)
      })
    }
    command.descriptors.forEach(({ send, read }, index) => {
      const stream = streams[4 + index]
      if (!stream) return
      const reader = read()
      this.#read(stream, (chunk) => {
        for (const event of reader(chunk)) this.#isolation(event)
      })
      if (send !== undefined) stream.write(send)
    })
    const trace = traceDescriptor === undefined ? undefined : streams[traceDescriptor]
    if (trace) this.#read(trace, (chunk) => listener.trace(chunk))
  }

  /**
   * Ends the process; what is already under way towards another end keeps its reason.
   * @param cause How the end is to be told, when it is not the plain signal.
   */
  kill(signal: NodeJS.Signals, cause?: EndReason): void {
    this.isEnding = true
    if (cause !== undefined) this.#evidence.blame(cause)
    this.child.kill(signal)
  }

  /** Ends the process at once, for a reason of the host's. A wrapper kills its guest, and then tells what that has used. */
  stop(cause: EndReason): void {
    this.kill(this.isSupervised ? 'SIGTERM' : 'SIGKILL', cause)
    if (this.isSupervised) setTimeout(() => this.child.kill('SIGKILL'), supervisorGraceMs).unref()
  }

  /** Nothing more is heard on the channel. Until then the end is not told, as what came last may be what explains it. */
  channelIsOver(): void {
    this.#isChannelOver = true
    this.#endWhenAllIsRead()
  }

  #read(stream: Readable, take: (chunk: Buffer) => void): void {
    this.#open.add(stream)
    const done = () => {
      this.#open.delete(stream)
      this.#endWhenAllIsRead()
    }
    stream.on('data', take)
    // An error here is the stream's end: the process at its other side is gone.
    stream.on('error', done)
    stream.on('close', done)
  }

  #isolation(event: IsolationEvent): void {
    this.#evidence.hear(event)
    this.#listener.isolation(event)
  }

  #spawnFailed(file: string, error: Error): void {
    if (this.child.pid !== undefined) return
    this.#evidence.blame({ kind: 'setup-failed', stage: `spawn ${file}`, reason: error.message })
    this.#end({ exitCode: 126, signal: null })
  }

  #exited(exit: ProcessExit): void {
    this.#exit = exit
    for (const stream of this.#open) stream.resume()
    if (!this.#hasLateReports) this.#endGroup()
    // The other ends close now. A program that inherited one (possible without isolation) must not delay the end for ever.
    setTimeout(() => this.#end(exit), lastReportsMs).unref()
    this.#endWhenAllIsRead()
  }

  /** What watched the guest ends with it. Once, and soon: the number of a group that is gone can become another's. */
  #endGroup(): void {
    const { pid } = this.child
    if (!this.#leadsGroup || pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // They ended by themselves.
    }
  }

  #endWhenAllIsRead(): void {
    // What a process says that the host ends is heard by nobody.
    if (this.#exit !== undefined && this.#open.size === 0 && (this.#isChannelOver || this.isEnding)) this.#end(this.#exit)
  }

  #end(exit: ProcessExit): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (this.#hasLateReports) this.#endGroup()
    for (const stream of this.#open) stream.destroy()
    this.socket.destroy()
    const usage = this.#evidence.usage(Math.round(performance.now() - this.#launched))
    this.#listener.ended({ ...this.#evidence.reason(exit), ...(usage === undefined ? {} : { usage }) }, exitCodeOf(exit))
  }
}

/** @throws ERR_CONFINE_SETUP_FAILED for what the system refuses at once, such as arguments that are too long. */
function launch({ file, args, cwd, env, becomesGuest }: ConfinedCommand, extraDescriptors: number, far: Socket | undefined): ChildProcess {
  try {
    const extra = new Array<'pipe'>(extraDescriptors).fill('pipe')
    return spawn(file, args, { cwd, env, detached: becomesGuest === true, stdio: ['ignore', 'pipe', 'pipe', far ?? 'pipe', ...extra] })
  } catch (error) {
    throw endFailure({ kind: 'setup-failed', stage: `spawn ${file}`, reason: (error as Error).message })
  }
}

/** @param isFresh Whether Node made the socket for this launch: others were used, or hold back what is written until the process has started. */
function openChannel(socket: Duplex, isFresh: boolean): { readonly channel: Channel; readonly socket: Duplex } {
  return isFresh ? spawnedChannel(socket, channelOptions) : { channel: streamChannel(socket, channelOptions), socket }
}

/** A guest that calls without reading the answers is not read any further above this. */
const channelOptions = { pauseReadingAboveBytes: 1024 * 1024 }

/** Stops reading until the reader can take more. */
function holdBack(stream: Readable, ready: Promise<void> | undefined): void {
  if (ready === undefined) return
  stream.pause()
  void ready.then(() => stream.resume())
}

/** How long a supervisor that was asked to end its guest may take to tell what that has used. The guest dies at once. */
export const supervisorGraceMs = 5000

/** How long after the exit the last reports may take. */
const lastReportsMs = 1000
