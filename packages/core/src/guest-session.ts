import { setTimeout as delay } from 'node:timers/promises'
import {
  ConfineError,
  type EndReason,
  type GuestEnd,
  type IsolationBackend,
  type IsolationEvent,
  type IsolationTier,
  type Policy,
  type Violation,
  type Walls,
} from '@confine-sandbox/contract'
import { guestEntry, hostNotice } from '@confine-sandbox/guest'
import { type ErrorPayload, type IncomingCall, Peer, type RequestOptions } from '@confine-sandbox/ipc'
import { abortError } from './abort.ts'
import { askForCode, type CodeAnswer, guestCode, takesCode } from './guest-code.ts'
import { guestCommand, guestPolicy } from './guest-command.ts'
import { callbackFailure, callFailure, endFailure, isErrorPayload, runtimeFailure, uncaughtFailure } from './guest-failure.ts'
import { GuestProcess, type GuestProcessListener, type LaunchWay, supervisorGraceMs } from './guest-process.ts'
import type { CheckedOptions } from './options.ts'
import { shortfall } from './min-isolation.ts'
import { passOn } from './output.ts'
import { OutputRate } from './output-rate.ts'
import { StartGate, type StartSign } from './start-gate.ts'
import { findTracer, traced } from './strace.ts'
import { traceWriter } from './trace-writer.ts'
import { unconfined } from './unconfined.ts'

/** What a session tells its owner. */
export interface GuestSessionOwner {
  /** The guest calls a function of the host. */
  hostCall(call: IncomingCall): unknown
  /** The guest calls a function that the host gave it as a value. */
  hostCallback(callback: Function, call: IncomingCall): unknown
  /** How long a function that the guest gave the host as a value may take, and what happens then. */
  callbackOptions(cid: number): RequestOptions
  /** A container of the guest says that it closed. @throws for what the guest cannot truthfully say. */
  containerClosed(cid: number, exitCode: number): void
  /** The guest wrote to its stdout or stderr. A promise says when there is room for more. */
  output(name: 'stdout' | 'stderr', chunk: Buffer): Promise<void> | undefined
  /** A container logged something, if the notice is true. @throws for what the guest cannot truthfully say. */
  consoleNotice(cid: number, params: unknown[], heldBytes: number): void
  /** A container threw where nobody waited for it, and goes on. */
  containerFailed(cid: number, error: ConfineError): void
  /** The supervisor saw a forbidden act. */
  violation(violation: Violation): void
  /** It saw that many more, which it does not tell one by one. */
  violationsDropped(count: number): void
  /** The process is gone. `failure` is for those who still wait. */
  ended(end: GuestEnd, exitCode: number, failure: ConfineError): void
}

/** A guest process and the calls to and from it, from launch to end. */
export class GuestSession {
  readonly process: GuestProcess
  readonly peer: Peer
  /** What is in force, as the supervisor reported it. */
  holds: Holds = { layers: [] }
  readonly #options: CheckedOptions
  readonly #owner: GuestSessionOwner
  readonly #backend: IsolationBackend
  readonly #policy: Policy
  readonly #gate: StartGate
  /** Where what it was asked goes. */
  readonly #codeAnswer: CodeAnswer | undefined
  /** Whether the guest is at a program of our own, as it was asked to be. */
  #isRehearsing = false
  #lifeTimer: NodeJS.Timeout | undefined
  readonly #trace = traceWriter(process.stderr)
  #endTimer: NodeJS.Timeout | undefined
  #outputBytes = 0
  readonly #rate: OutputRate | undefined
  /** What was written to stderr before the guest was ready: nothing untrusted ran until then. */
  #startOutput = ''
  /** The reason that the guest gave for its coming end. */
  #lastWords: ConfineError | undefined

  /**
   * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE when the policy cannot be held here. Nothing was started then.
   */
  constructor(options: CheckedOptions, owner: GuestSessionOwner, way: LaunchWay = {}) {
    this.#options = options
    this.#owner = owner
    const backend: IsolationBackend = options.noSandbox ? unconfined : (options.isolation as IsolationBackend)
    this.#backend = backend
    const tracer = options.strace ? findTracer(backend) : undefined
    this.#policy = guestPolicy(options, guestEntry, tracer?.by === 'backend')
    this.#codeAnswer = askForCode(options)
    const teaches = this.#codeAnswer !== undefined
    const confined = backend.confine(guestCommand(options, guestEntry, { lockPath: backend.lockPath, teaches }), this.#policy)
    const { command, traceDescriptor } =
      tracer?.by === 'strace' ? traced(confined, tracer.file) : { command: confined, traceDescriptor: undefined }
    if (options.logSpawn) console.log('SPAWN', command.file, command.args)
    const { startTimeoutMs } = options
    const { outputMiBPerSecond } = options.limits
    this.#rate = outputMiBPerSecond === undefined ? undefined : new OutputRate(outputMiBPerSecond * 1024 * 1024)
    const listener: GuestProcessListener = {
      isolation: (event) => this.#isolation(event),
      output: (name, chunk) => this.#output(name, chunk),
      trace: (chunk) => process.stderr.write(chunk),
      ended: (end, exitCode) => this.#ended(end, exitCode),
    }
    this.process = new GuestProcess(command, traceDescriptor, listener, way)
    // From here on node boots there, and what is done here costs the start nothing.
    if (takesCode(options)) this.process.socket.write(guestCode(options))
    this.#gate = new StartGate(backend.lockPath === undefined ? ['ready'] : ['locked', 'ready'], startTimeoutMs, () =>
      this.process.stop({ kind: 'timeout', what: this.#isRehearsing ? rehearsal : 'its start', timeoutMs: startTimeoutMs }),
    )
    if (!options.standby) this.beginLife()
    if (command.holds !== undefined) this.#inForce(command.holds)
    this.peer = new Peer({
      channel: this.process.channel,
      request: (call) => owner.hostCall(call),
      invoke: (callback, call) => owner.hostCallback(callback, call),
      callbackOptions: (cid) => owner.callbackOptions(cid),
      notify: (cid, method, params, heldBytes) => this.#notice(cid, method, params, heldBytes),
      closed: (error) => this.#channelClosed(error),
      reviveError: (payload, cid) => (cid === undefined ? new GuestFailure(payload) : callbackFailure(payload)),
    })
  }

  /** From now on the limit of its life counts. A guest that waits for its use does not age. */
  beginLife(): void {
    const { lifeMs } = this.#options.limits
    if (lifeMs === undefined) return
    this.#lifeTimer ??= setTimeout(() => this.process.stop({ kind: 'timeout', what: 'its life', timeoutMs: lifeMs }), lifeMs)
  }

  /** Settles when the guest is locked and has its runtime. Rejects when it ended before. */
  get ready(): Promise<void> {
    return this.#gate.opened
  }

  /** Whether the guest is locked and has its runtime. */
  get isReady(): boolean {
    return this.#gate.isOpen
  }

  /**
   * Asks the guest.
   * @param options `toError` makes the error of an answer that says failure.
   */
  request(cid: number, method: string, params: unknown[], options: RequestOptions = {}): Promise<unknown> {
    const toError = (payload: ErrorPayload) => callFailure(payload, method, cid)
    return this.peer.request(cid, method, params, { toError, aborted: abortError, ...options })
  }

  /** Ends the process, with SIGKILL when it does not go; whoever waits for an answer gets `reason`. */
  end(reason: ConfineError): void {
    this.process.kill('SIGTERM')
    this.expectEnd(undefined, this.process.isSupervised ? supervisorGraceMs : graceMs)
    this.peer.close(reason)
  }

  /** Ends the process when it has not gone by itself soon. */
  expectEnd(cause?: EndReason, withinMs = graceMs): void {
    this.#endTimer ??= setTimeout(() => this.process.kill('SIGKILL', cause), withinMs).unref()
  }

  #isolation(event: IsolationEvent): void {
    if (event.type === 'ready') this.#inForce(event)
    if (event.type === 'locked') this.#locked()
    if (event.type === 'violation') this.#owner.violation(event.violation)
    if (event.type === 'violations-dropped') this.#owner.violationsDropped(event.count)
    if (event.type === 'trace') this.#trace(event.text)
  }

  /** What holds the guest was said, and so compared with the bar, or there is no lock to speak of. */
  #locked(): void {
    if (this.holds.layers.length > 0) return this.#give('locked')
    const reason =
      'The supervisor locked the guest without saying first what holds it. Install the backend again, in the version of its host'
    this.process.kill('SIGKILL', { kind: 'setup-failed', stage: 'locked', reason })
  }

  /** The guest's word, which opens nothing where a bar was set and nobody has said what stands. */
  #guestReady(): void {
    const { isBarSet, noSandbox } = this.#options
    if (isBarSet && !noSandbox && this.#backend.lockPath === undefined && this.holds.layers.length === 0) this.#inForce({ layers: [] })
    else this.#give('ready')
  }

  /** A guest that is being ended, for a wall that is missing above all, has not started, though it and its supervisor go on to say so. */
  #give(sign: StartSign): void {
    if (this.process.isEnding || this.isReady) return
    this.#gate.give(sign)
    if (this.isReady) this.#codeAnswer?.keep()
  }

  /** The bar is checked against what stands, not against what was planned, and before any source is sent. */
  #inForce({ layers, walls, tier }: Holds): void {
    this.holds = { layers, ...(walls === undefined ? {} : { walls }), ...(tier === undefined ? {} : { tier }) }
    const missing = this.#shortfall(walls)
    if (missing === undefined) return
    const remedies = this.#backend.assess(this.#policy).missing.map(({ layer, reason, remedy }) => `${layer}: ${reason} ${remedy}`)
    const reason = [`${missing}.`, ...remedies, 'Or lower the bar with the option minIsolation.'].join(' ')
    this.process.kill('SIGKILL', { kind: 'setup-failed', stage: 'min-isolation', reason })
  }

  #shortfall(walls: Walls | undefined): string | undefined {
    const { isBarSet, minIsolation } = this.#options
    if (walls !== undefined) return shortfall(walls, minIsolation)
    return isBarSet ? `The backend ${this.#backend.name} does not tell which walls it has, and minIsolation asks for some` : undefined
  }

  #output(name: 'stdout' | 'stderr', chunk: Buffer): Promise<void> | undefined {
    if (name === 'stderr' && !this.isReady && this.#startOutput.length < maxStartOutput) this.#startOutput += chunk.toString()
    const { outputMiB } = this.#options.limits
    this.#outputBytes += chunk.length
    if (outputMiB !== undefined && this.#outputBytes > outputMiB * 1024 * 1024) {
      this.process.stop({ kind: 'output', outputMiB })
      // What is beyond it is not read while the process lives: it can finish nothing that waits for its pipe.
      return new Promise(() => {})
    }
    const waitMs = this.#rate?.take(chunk.length) ?? 0
    return allOf([
      this.#owner.output(name, chunk),
      this.#options[name === 'stdout' ? 'pipeStdout' : 'pipeStderr'] ? passOn(process[name], chunk) : undefined,
      waitMs === 0 ? undefined : delay(waitMs, undefined, { ref: false }),
    ])
  }

  #notice(cid: number, method: string, params: unknown[], heldBytes: number): void {
    switch (method) {
      case hostNotice.console:
        return this.#owner.consoleNotice(cid, params, heldBytes)
      case hostNotice.ready:
        return this.#guestReady()
      case hostNotice.rehearsing:
        if (this.isReady || (this.#codeAnswer === undefined && !this.#options.standby))
          throw fault('that it rehearses, without being asked')
        this.#isRehearsing = true
        return
      case hostNotice.learned:
        // Nothing untrusted is in there as long as the gate is shut.
        if (this.isReady || this.#codeAnswer === undefined) throw fault('what V8 learned, without being asked')
        this.#isRehearsing = false
        return this.#codeAnswer.give(params)
      case hostNotice.failed:
        if (this.isReady) throw fault('the failure of a start that was through')
        this.#lastWords ??= runtimeFailure(payloadOf(params))
        return
      case hostNotice.uncaught:
        this.#lastWords ??= uncaughtFailure(payloadOf(params))
        return
      case hostNotice.error:
        return this.#owner.containerFailed(cid, uncaughtFailure(payloadOf(params)))
      case hostNotice.closed: {
        const [exitCode] = params
        if (!Number.isSafeInteger(exitCode)) throw fault('an exit code that is no whole number')
        return this.#owner.containerClosed(cid, exitCode as number)
      }
      default:
        throw fault(`the notice ${JSON.stringify(method.slice(0, 100))}, which it does not know`)
    }
  }

  #channelClosed(error?: Error): void {
    if (ConfineError.is(error)) this.process.stop({ kind: 'protocol', reason: error.message })
    // It closed its end: it is about to exit, or it cannot be reached any more.
    else this.expectEnd({ kind: 'protocol', reason: 'The guest closed its channel and went on' })
    this.process.channelIsOver()
  }

  #ended(plainEnd: GuestEnd, exitCode: number): void {
    const end = this.isReady ? plainEnd : this.#explained(plainEnd)
    const failure = (end.kind === 'exited' && this.#lastWords) || endFailure(end, this.isReady ? '' : this.#startOutput)
    clearTimeout(this.#lifeTimer)
    clearTimeout(this.#endTimer)
    this.#gate.fail(failure)
    this.peer.close(failure)
    this.#owner.ended(end, exitCode, failure)
  }

  /** A plain end before the guest was ready, in the backend's words when it has any. */
  #explained(end: GuestEnd): GuestEnd {
    if (end.kind !== 'exited' && end.kind !== 'signaled') return end
    const { exitCode, signalCode: signal } = this.process.child
    const explained = this.#backend.explainStart?.({ exitCode, signal, stderr: this.#startOutput })
    if (explained === undefined) return end
    return { kind: 'setup-failed', stage: explained.stage, reason: `${explained.reason} ${explained.remedy}` }
  }
}

/** Waits for all that are waited for. */
function allOf(waits: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const real = waits.filter((wait) => wait !== undefined)
  return real.length === 0 ? undefined : Promise.all(real).then(() => {})
}

/** What is in force. */
interface Holds {
  readonly layers: readonly string[]
  readonly walls?: Walls
  readonly tier?: IsolationTier
}

/** What an end is blamed on that came before a runtime with a static `prepare()` was through with it: the one part of a start that not every guest has. */
const rehearsal =
  "its start, in which the runtime did not come to the end of a rehearsal (a program of confine's own that runs before the lock),"

/** How long a process that was asked to go, or closed its channel, may still live. */
const graceMs = 1000

/** Characters of stderr that are kept to explain a start that failed. */
const maxStartOutput = 16 * 1024

class GuestFailure extends Error {
  readonly payload: ErrorPayload

  constructor(payload: ErrorPayload) {
    super(payload.message)
    this.payload = payload
  }
}

function payloadOf([payload]: unknown[]): ErrorPayload {
  if (!isErrorPayload(payload)) throw fault('an error that is none')
  return payload
}

function fault(what: string): ConfineError {
  return new ConfineError('ERR_CONFINE_PROTOCOL', `The guest sent ${what}`)
}
