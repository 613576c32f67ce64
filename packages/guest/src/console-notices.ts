import { inspect } from 'node:util'
import { consoleBudget, type Peer, RateBudget } from '@confine-sandbox/ipc'
import { hostNotice } from './protocol.ts'

/** Tells the host what programs log, while it listens, and no more than it would take. */
export class ConsoleNotices {
  readonly #peer: Peer
  readonly #budget = new RateBudget(consoleBudget.atOnce, consoleBudget.perSecond)

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /** @param args Values of the program. What of them cannot cross, or is too large, crosses as its text. */
  tell(cid: number, level: string, args: readonly unknown[]): void {
    if (!this.#budget.take()) return
    const dropped = this.#budget.takeDropped()
    const send = (shown: readonly unknown[]) =>
      this.#peer.notify(cid, hostNotice.console, [level, shown, dropped], { maxBytes: consoleBudget.maxBytes })
    try {
      send(args)
    } catch {
      send(args.slice(0, maxTexts).map(shown))
    }
  }
}

const maxTexts = 32
/** So that all of them are within the budget, whatever bytes their characters take. */
const maxTextLength = Math.floor(consoleBudget.maxBytes / maxTexts / 4)

function shown(value: unknown): unknown {
  if (
    (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol' && typeof value !== 'string') ||
    value === null
  ) {
    return typeof value === 'bigint' ? cut(`${value}n`) : value
  }
  return cut(typeof value === 'string' ? value : text(value))
}

function text(value: unknown): string {
  try {
    return inspect(value, { maxStringLength: maxTextLength, maxArrayLength: 100 })
  } catch {
    return '[a value that cannot be shown]'
  }
}

function cut(whole: string): string {
  return whole.length <= maxTextLength ? whole : `${whole.slice(0, maxTextLength - 1)}…`
}
