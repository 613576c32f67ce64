import { ConfineError, type GuestEnd, type IsolationBackend, type IsolationEvent, type Violation } from '@confine-sandbox/contract'
import { guestEntry, hostNotice } from '@confine-sandbox/guest'
import { type ErrorPayload, type IncomingCall, Peer, streamChannel } from '@confine-sandbox/ipc'
import { guestCommand, guestPolicy } from './guest-command.ts'
import { callFailure, endFailure, isErrorPayload, runtimeFailure, uncaughtFailure } from './guest-failure.ts'
import { GuestProcess } from './guest-process.ts'
import type { CheckedOptions } from './options.ts'
import { passOn } from './output.ts'
import { traced } from './strace.ts'
import { unconfined } from './unconfined.ts'

/** What a session tells its owner. */
export interface GuestSessionOwner {
  /** The guest calls a function of the host. */
  hostCall(call: IncomingCall): unknown
  /** A container of the guest says that it closed. @throws for what the guest cannot truthfully say. */
  containerClosed(cid: number, exitCode: number): void
  /** The supervisor saw a forbidden act. */
  violation(violation: Violation): void
  /** The process is gone. `failure` is for those who still wait. */
  ended(end: GuestEnd, exitCode: number, failure: ConfineError): void
}

/** A guest process and the calls to and from it, from launch to end. */
export class GuestSession {
  readonly process: GuestProcess
  readonly peer: Peer
  /** Settles when the guest is locked and has its runtime. Rejects when it ended before. */
  readonly ready: Promise<void>
  /** The layers in force, as the supervisor reported them. */
  layers: readonly string[] = []
  readonly #owner: GuestSessionOwner
  readonly #backend: IsolationBackend
  readonly #waitsFor: Set<'locked' | 'ready'>
  #settleReady: { resolve(): void; reject(error: Error): void } | undefined
  /** Whether the guest is locked and has its runtime. */
  isReady = false
  /** What was written to stderr before the guest was ready: nothing untrusted ran until then. */
  #startOutput = ''
  /** The reason that the guest gave for its coming end. */
  #lastWords: ConfineError | undefined

  /** @throws ERR_CONFINE_ISOLATION_UNAVAILABLE when the policy cannot be held here. Nothing was started then. */
  constructor(options: CheckedOptions, owner: GuestSessionOwner) {
    this.#owner = owner
    const backend: IsolationBackend = options.noSandbox ? unconfined : (options.isolation as IsolationBackend)
    this.#backend = backend
    this.#waitsFor = new Set(backend.lockPath === undefined ? ['ready'] : ['locked', 'ready'])
    const confined = backend.confine(guestCommand(options, guestEntry, backend.lockPath), guestPolicy(options, guestEntry))
    const { command, traceDescriptor } = options.strace ? traced(confined) : { command: confined, traceDescriptor: undefined }
    this.layers = command.layers ?? []
    if (options.logSpawn) console.log('SPAWN', command.file, command.args)
    this.ready = new Promise<void>((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    // Whoever waits sees the rejection; that nobody waits is no error.
    this.ready.catch(() => {})
    const deadline = setTimeout(() => this.#tooSlow(options.startTimeoutMs), options.startTimeoutMs)
    this.ready.then(
      () => clearTimeout(deadline),
      () => clearTimeout(deadline),
    )
    this.process = new GuestProcess(command, traceDescriptor, {
      isolation: (event) => this.#isolation(event),
      output: (name, chunk) => {
        if (name === 'stderr') this.#keepStartOutput(chunk)
        return options[name === 'stdout' ? 'pipeStdout' : 'pipeStderr'] ? passOn(process[name], chunk) : undefined
      },
      trace: (chunk) => process.stderr.write(chunk),
      ended: (end, exitCode) => this.#ended(end, exitCode),
    })
    this.peer = new Peer({
      channel: streamChannel(this.process.channel, { pauseReadingAboveBytes }),
      request: (call) => owner.hostCall(call),
      notify: (cid, method, params) => this.#notice(cid, method, params),
      closed: (error) => this.#channelClosed(error),
      reviveError: (payload) => new GuestFailure(payload),
    })
  }

  /**
   * Asks the guest.
   * @param toError Makes the error of an answer that says failure.
   */
  async request(
    cid: number,
    method: string,
    params: unknown[],
    toError: (payload: ErrorPayload) => ConfineError = (payload) => callFailure(payload, method, cid),
    signal?: AbortSignal,
  ): Promise<unknown> {
    try {
      return await this.peer.request(cid, method, params, signal)
    } catch (error) {
      throw error instanceof GuestFailure ? toError(error.payload) : error
    }
  }

  /** Ends the process, with SIGKILL when it does not go; whoever waits for an answer gets `reason`. */
  end(reason: ConfineError): void {
    this.process.kill('SIGTERM')
    this.peer.close(reason)
    this.expectEnd()
  }

  /** Ends the process when it has not gone by itself soon. */
  expectEnd(): void {
    setTimeout(() => this.process.kill('SIGKILL'), graceMs).unref()
  }

  #isolation(event: IsolationEvent): void {
    if (event.type === 'ready') this.layers = event.layers
    if (event.type === 'locked') this.#reached('locked')
    if (event.type === 'violation') this.#owner.violation(event.violation)
  }

  #notice(cid: number, method: string, params: unknown[]): void {
    switch (method) {
      case hostNotice.ready:
        return this.#reached('ready')
      case hostNotice.failed:
        this.#lastWords ??= runtimeFailure(payloadOf(params))
        return
      case hostNotice.uncaught:
        this.#lastWords ??= uncaughtFailure(payloadOf(params))
        return
      case hostNotice.closed: {
        const [exitCode] = params
        if (!Number.isSafeInteger(exitCode)) throw fault('an exit code that is no whole number')
        return this.#owner.containerClosed(cid, exitCode as number)
      }
      default:
        throw fault(`the notice ${JSON.stringify(method.slice(0, 100))}, which it does not know`)
    }
  }

  #reached(what: 'locked' | 'ready'): void {
    this.#waitsFor.delete(what)
    if (this.#waitsFor.size > 0) return
    this.isReady = true
    this.#settleReady?.resolve()
  }

  #tooSlow(timeoutMs: number): void {
    this.process.kill('SIGKILL', { kind: 'timeout', what: 'its start', timeoutMs })
  }

  #channelClosed(error?: Error): void {
    if (ConfineError.is(error)) this.process.kill('SIGKILL', { kind: 'protocol', reason: error.message })
    // It closed its end: it is about to exit, or it cannot be reached any more.
    else this.expectEnd()
  }

  #keepStartOutput(chunk: Buffer): void {
    if (!this.isReady && this.#startOutput.length < maxStartOutput) this.#startOutput += chunk.toString()
  }

  #ended(plainEnd: GuestEnd, exitCode: number): void {
    const end = this.isReady ? plainEnd : this.#explained(plainEnd)
    const failure = (end.kind === 'exited' && this.#lastWords) || endFailure(end, this.isReady ? '' : this.#startOutput)
    this.#settleReady?.reject(failure)
    this.peer.close(failure)
    this.#owner.ended(end, exitCode, failure)
  }

  /** A plain end before the guest was ready, in the backend's words when it has any. */
  #explained(end: GuestEnd): GuestEnd {
    if (end.kind !== 'exited' && end.kind !== 'signaled') return end
    const { exitCode, signalCode: signal } = this.process.child
    const explained = this.#backend.explainStart?.({ exitCode, signal, stderr: this.#startOutput })
    return explained === undefined
      ? end
      : { kind: 'setup-failed', stage: explained.stage, reason: `${explained.reason} ${explained.remedy}` }
  }
}

/** How long a process that was asked to go, or closed its channel, may still live. */
const graceMs = 1000

/** Characters of stderr that are kept to explain a start that failed. */
const maxStartOutput = 16 * 1024

/** A guest that calls without reading the answers is not read any further above this. */
const pauseReadingAboveBytes = 1024 * 1024

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
