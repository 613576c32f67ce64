import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConfineError } from '../../../packages/contract/src/index.ts'
import { Peer, streamChannel } from '../../../packages/ipc/src/index.ts'
import { HostileFrames, Random } from './bend.ts'
import { originals } from './corpus.ts'
import { heapMiB, reported, task, threadMs } from './report.ts'
import { answer, many, use } from './tempers.ts'

// Hostile frames at full speed against the peer of the host, or of the guest, in this process.

const { seed, frames, from = 'guest' } = task()
const rounds = 10

/** A peer over a stream whose bytes come from a script. Calls of its own wait for answers, so that answers are heard. */
class Session {
  isOver = false
  readonly #stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  readonly #peer: Peer

  constructor() {
    let closes = 0
    this.#peer = new Peer({
      channel: streamChannel(this.#stream, from === 'guest' ? { pauseReadingAboveBytes: 1024 * 1024 } : {}),
      errorStacks: from === 'host',
      request: ({ method, params }) => answer(method, params),
      notify: (_cid, method, params) => {
        if (method === 'failed') throw new TypeError(`refused: ${String(params.length)}`)
      },
      closed: (error) => {
        if (++closes > 1) throw new Error('It closed twice')
        if (error !== undefined && !ConfineError.is(error)) throw error
        this.isOver = true
        this.#peer.close(error ?? new Error('the stream ended'))
      },
      reviveError: ({ message }) => new Error(message),
    })
    for (const cid of [1, 2]) this.#peer.openScope(cid)
    // It gives out functions 1 and 3 and streams 2 and 4, and takes whatever comes back for functions and streams of the enemy's.
    for (let id = 1; id <= 8; id++) this.#peer.request(1, 'wait', id > 2 ? [] : [async () => 1, many()]).then(use, () => {})
  }

  /** @param cut Where the frame is cut in two. */
  push(frame: Buffer, cut: number): void {
    for (const chunk of cut === 0 ? [frame] : [frame.subarray(0, cut), frame.subarray(cut)]) {
      if (!this.isOver) this.#stream.emit('data', chunk)
    }
  }

  end(): void {
    this.#stream.push(null)
  }
}

await reported(async () => {
  // An error's stack takes longer than the rest of a session.
  Error.stackTraceLimit = 0
  const random = new Random(seed)
  const source = new HostileFrames(originals(from), random)
  const heaps: number[] = []
  let session = new Session()
  let sessions = 1
  let worstMs = 0
  for (let round = 1; round <= rounds; round++) {
    while (source.made < (frames * round) / rounds) {
      if (session.isOver) {
        session = new Session()
        sessions++
      }
      const frame = random.below(5) === 0 ? source.wild() : source.soft()
      const before = threadMs()
      session.push(frame, random.below(4) === 0 ? random.below(frame.length) : 0)
      worstMs = Math.max(worstMs, threadMs() - before)
      if (random.below(500) === 0) session.end()
      // What functions answer is sent between two frames, too.
      if (source.made % 64 === 0) await nextTurn()
    }
    heaps.push(await heapMiB())
  }
  return { frames: source.made, sessions, worstMs, heapMiB: heaps, cpuS: Math.round(threadMs() / 100) / 10 }
})
