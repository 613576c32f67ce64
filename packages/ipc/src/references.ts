import { ConfineError, released } from '@confine-sandbox/contract'
import type { ItemOptions } from './calls.ts'
import type { ErrorPayload } from './error-payload.ts'
import { Garbage } from './garbage.ts'
import { containerClosed, HeldCallback } from './held-callback.ts'
import { IncomingStream, ReceivedStream } from './incoming-stream.ts'
import type { ChannelLimits } from './limits.ts'
import type { Message } from './message.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import type { CollectingReader, MessageReferences, Releasable, TransactionalWriter } from './reference.ts'

/** What the tables need of the peer that they belong to. */
export interface ReferencesLink {
  readonly limits: ChannelLimits
  /** Returns how many bytes the message has; 0 when the channel is closed. @throws ERR_CONFINE_VALUE, ERR_CONFINE_LIMIT */
  send(message: Message, cid?: number): number
  /** Calls a function of the other side. */
  invoke(cid: number, reference: number, params: unknown[]): Promise<unknown>
  /** Tells the other side that a stream failed, whatever its error is made of. */
  sendEnd(stream: number, error: ErrorPayload): void
  describeError(thrown: unknown): ErrorPayload
  reviveError(payload: ErrorPayload, cid: number): Error
  cidOfAnswer(id: number): number
  /** How long an item of a stream of the other side may be waited for. */
  budget(cid: number): ItemOptions | undefined
  /** The same for the streams in an answer, when whoever asked said so. */
  itemOptions(id: number): ItemOptions | undefined
}

/**
 * The functions and streams that crossed, per container: those of this side, which the other holds by number, and those of
 * the other side that are held here. A number of the other side means what this side's tables say, and nothing else.
 */
export class References implements MessageReferences {
  readonly #link: ReferencesLink
  readonly #scopes = new Map<number, Scope>()
  readonly #own = new Map<number, Own>()
  /** By text, whose hash the other side cannot foresee: numbers that it chose could all collide. */
  readonly #incoming = new Map<string, { readonly stream: IncomingStream; readonly cid: number; readonly held: Held }>()
  readonly #garbage = new Garbage()
  /** For what a stream that was stopped here has still brought: it is let go at once. */
  readonly #gone: CollectingReader = {
    made: [],
    callback: (id) => {
      this.#link.send({ type: 'release', reference: id })
      return new HeldCallback(undefined).toFunction()
    },
    stream: (id) => {
      this.#link.send({ type: 'stop', stream: id })
      return {}
    },
  }
  #lastOwn = 0
  #lastIncoming = 0

  constructor(link: ReferencesLink) {
    this.#link = link
  }

  /** From now on functions and streams may cross for this container. */
  open(cid: number): void {
    if (!this.#scopes.has(cid))
      this.#scopes.set(cid, { own: new Set(), ownStreams: 0, held: new Set(), heldStreams: 0, heldIds: new Set(), lastItem: 0 })
  }

  /** When an item last crossed for this container: one of this side that left, or one that was taken here. Now while one is waited for. */
  lastStreamed(cid: number): number {
    const scope = this.#scopes.get(cid)
    if (scope === undefined) return 0
    const taken = [...scope.heldIds].map((key) => this.#incoming.get(key)?.stream.lastTaken ?? 0)
    return taken.reduce((last, time) => Math.max(last, time), scope.lastItem)
  }

  /** Revokes what crossed for this container; its streams are closed. */
  close(cid: number, reason?: Error): void {
    const scope = this.#scopes.get(cid)
    if (scope === undefined) return
    this.#scopes.delete(cid)
    for (const id of scope.own) {
      const own = this.#own.get(id)
      this.#own.delete(id)
      if (own?.kind === 'stream') own.stream.stop()
      else if (own !== undefined) letGo(own.callback)
    }
    for (const held of scope.held) held.revoke(reason)
    for (const key of scope.heldIds) this.#incoming.delete(key)
  }

  /** The channel is closed. */
  closeAll(reason?: Error): void {
    for (const cid of [...this.#scopes.keys()]) this.close(cid, reason)
  }

  writer(cid: number): TransactionalWriter | undefined {
    if (cid === 0) return undefined
    const written: number[] = []
    return {
      callback: (callback) => this.#number(cid, written, () => ({ kind: 'callback', cid, callback })),
      stream: (value) => this.#number(cid, written, (id) => ({ kind: 'stream', cid, stream: this.#outgoing(cid, id, value) })),
      undo: () => {
        for (const id of written) this.#forget(id)
      },
    }
  }

  reader(cid: number, itemOptions?: ItemOptions): CollectingReader | undefined {
    if (cid === 0) return undefined
    const made: Releasable[] = []
    return {
      made,
      callback: (id) => this.#heldCallback(cid, id, made),
      stream: (id) => this.#heldStream(cid, id, made, itemOptions ?? this.#link.budget(cid)),
    }
  }

  answerReader(id: number): CollectingReader | undefined {
    return this.reader(this.#link.cidOfAnswer(id), this.#link.itemOptions(id))
  }

  itemReader(id: number): CollectingReader | undefined {
    const found = this.#incomingStream(id)
    return found === undefined ? this.#gone : this.reader(found.cid, found.stream.budget)
  }

  cidOfOwn(reference: number): number {
    return this.#own.get(reference)?.cid ?? 0
  }

  /**
   * Finds a function of this side by its number.
   * @returns undefined when it was released or its container has closed.
   * @throws ERR_CONFINE_PROTOCOL when there never was one.
   */
  ownCallback(reference: number): { readonly cid: number; readonly callback: Function } | undefined {
    const own = this.#ownOrGone(reference)
    if (own?.kind === 'stream') throw fault(`a call of stream ${reference}, which is no function`)
    return own
  }

  /** The other side lets a function go. */
  released(reference: number): void {
    const own = this.ownCallback(reference)
    if (own === undefined) return
    this.#forget(reference)
    letGo(own.callback)
  }

  pulled(reference: number, items: number, bytes: number): void {
    this.#ownStream(reference)?.pull(items, bytes)
  }

  stopped(reference: number): void {
    const stream = this.#ownStream(reference)
    this.#forget(reference)
    stream?.stop()
  }

  item(id: number, value: unknown, size: number, made?: readonly Releasable[]): void {
    this.#incomingStream(id)?.stream.item(value, size, made)
  }

  ended(id: number, error: ErrorPayload | undefined): void {
    const found = this.#incomingStream(id)
    if (found === undefined) return
    this.#dropIncoming(found.cid, id)
    found.stream.end(error === undefined ? undefined : this.#link.reviveError(error, found.cid))
  }

  #number(cid: number, written: number[], make: (id: number) => Own): number {
    const scope = this.#scopes.get(cid)
    if (scope === undefined) throw containerClosed('function or stream')
    const id = ++this.#lastOwn
    const own = make(id)
    const { maxStreams, maxCallbacks } = this.#link.limits
    const isFull = own.kind === 'stream' ? scope.ownStreams >= maxStreams : scope.own.size - scope.ownStreams >= maxCallbacks
    if (isFull) {
      throw new ConfineError(
        'ERR_CONFINE_LIMIT',
        `Container ${cid} has ${own.kind === 'stream' ? `${maxStreams} streams` : `${maxCallbacks} functions`} of this side already`,
      )
    }
    this.#own.set(id, own)
    scope.own.add(id)
    if (own.kind === 'stream') scope.ownStreams++
    written.push(id)
    return id
  }

  #outgoing(cid: number, id: number, value: AsyncIterable<unknown>): OutgoingStream {
    const link = this.#link
    return new OutgoingStream(value, {
      limits: link.limits,
      item: (item) => {
        const scope = this.#scopes.get(cid)
        if (scope !== undefined) scope.lastItem = performance.now()
        return link.send({ type: 'item', stream: id, value: item }, cid)
      },
      end: (error) => {
        this.#forget(id)
        if (error === undefined) link.send({ type: 'end', stream: id })
        else link.sendEnd(id, error)
      },
      describeError: (thrown) => link.describeError(thrown),
    })
  }

  #forget(id: number): void {
    const own = this.#own.get(id)
    if (own === undefined) return
    this.#own.delete(id)
    const scope = this.#scopes.get(own.cid)
    scope?.own.delete(id)
    if (own.kind === 'stream' && scope !== undefined) scope.ownStreams--
  }

  #ownOrGone(reference: number): Own | undefined {
    const own = this.#own.get(reference)
    if (own === undefined && (reference > this.#lastOwn || reference === 0))
      throw fault(`the number ${reference}, which was never given out`)
    return own
  }

  #ownStream(reference: number): OutgoingStream | undefined {
    const own = this.#ownOrGone(reference)
    if (own?.kind === 'callback') throw fault(`a pull of function ${reference}, which is no stream`)
    return own?.stream
  }

  #heldCallback(cid: number, id: number, made: Releasable[]): Function {
    const scope = this.#scopes.get(cid)
    if (scope === undefined) return new HeldCallback(undefined).toFunction()
    if (scope.held.size - scope.heldStreams >= this.#link.limits.maxCallbacks) {
      throw fault(`more than ${this.#link.limits.maxCallbacks} functions for container ${cid}`)
    }
    const callback = new HeldCallback({
      invoke: (params) => this.#link.invoke(cid, id, params),
      release: () => {
        scope.held.delete(held)
        this.#garbage.forget(held)
        this.#link.send({ type: 'release', reference: id })
      },
    })
    const held: Held = {
      release: () => callback.release(),
      revoke: (reason) => callback.revoke(reason ?? containerClosed('callback')),
    }
    scope.held.add(held)
    made.push(held)
    const result = callback.toFunction()
    this.#garbage.watch(result, held)
    return result
  }

  #heldStream(cid: number, id: number, made: Releasable[], budget: ItemOptions | undefined): object {
    const scope = this.#scopes.get(cid)
    const { limits } = this.#link
    if (scope === undefined) {
      const closed = new IncomingStream({ limits, pull() {}, stop() {} })
      closed.end(containerClosed('stream'))
      return new ReceivedStream(closed)
    }
    const key = incomingKey(id)
    if (this.#incoming.has(key)) throw fault(`stream ${id} twice`)
    if (scope.heldStreams >= limits.maxStreams) throw fault(`more than ${limits.maxStreams} streams for container ${cid}`)
    const stream = new IncomingStream({
      limits,
      pull: (items, bytes) => void this.#link.send({ type: 'pull', stream: id, items, bytes }),
      budget,
      stop: () => {
        this.#dropIncoming(cid, id)
        this.#link.send({ type: 'stop', stream: id })
      },
    })
    const held: Held = {
      release: () => stream.stop(),
      revoke: (reason) => stream.end(reason ?? containerClosed('stream'), true),
    }
    this.#lastIncoming = Math.max(this.#lastIncoming, id)
    this.#incoming.set(key, { stream, cid, held })
    scope.held.add(held)
    scope.heldStreams++
    scope.heldIds.add(key)
    made.push(held)
    const result = new ReceivedStream(stream)
    this.#garbage.watch(result, held)
    return result
  }

  #incomingStream(id: number) {
    const found = this.#incoming.get(incomingKey(id))
    // What was under way when this side stopped the stream, or its container closed, is dropped.
    if (found === undefined && id > this.#lastIncoming) throw fault(`an item of stream ${id}, which never was`)
    return found
  }

  #dropIncoming(cid: number, id: number): void {
    const key = incomingKey(id)
    const found = this.#incoming.get(key)
    if (found === undefined) return
    this.#incoming.delete(key)
    this.#garbage.forget(found.held)
    const scope = this.#scopes.get(cid)
    if (scope === undefined) return
    scope.held.delete(found.held)
    scope.heldIds.delete(key)
    scope.heldStreams--
  }
}

/** What crossed for one container. */
interface Scope {
  /** Numbers of this side's functions and streams. */
  readonly own: Set<number>
  ownStreams: number
  readonly held: Set<Held>
  heldStreams: number
  /** Keys of the other side's streams. */
  readonly heldIds: Set<string>
  /** When an item of this side last left, as `performance.now()` says. */
  lastItem: number
}

type Own =
  | { readonly kind: 'callback'; readonly cid: number; readonly callback: Function }
  | { readonly kind: 'stream'; readonly cid: number; readonly stream: OutgoingStream }

/** A function or stream of the other side. */
interface Held extends Releasable {
  revoke(reason?: Error): void
}

function incomingKey(id: number): string {
  return `stream ${id}`
}

/** A runtime may keep the function for its program by a number of its own. */
function letGo(callback: Function): void {
  try {
    ;(callback as { [released]?: () => void })[released]?.()
  } catch {}
}

function fault(what: string): ConfineError {
  return new ConfineError('ERR_CONFINE_PROTOCOL', `Received ${what}`)
}
