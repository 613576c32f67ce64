import { closeSync, mkdtempSync, openSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Where a unix socket is listened on that nobody else is to find. First a path in a directory that this user alone enters;
 * then that goes, and a descriptor of this process leads there. An abstract socket would be open to every user of the
 * machine: its name stands in /proc/net/unix, and who floods it keeps others out without knowing any secret.
 */
export class HiddenPath implements Disposable {
  /** The path to listen on, and to connect to. */
  address = join(mkdtempSync(join(tmpdir(), 'confine-')), 'spawner')
  #descriptor: number | undefined

  /** Takes the path away from a socket that is listened on. @throws where the descriptor leads nowhere: without /proc. */
  hide(): void {
    this.#descriptor = openSync(this.address, pathOnly)
    this.#remove()
    this.address = `/proc/self/fd/${this.#descriptor}`
    if (!statSync(this.address).isSocket()) throw new Error('The socket of the spawner is gone')
  }

  [Symbol.dispose](): void {
    if (this.#descriptor === undefined) this.#remove()
    else if (this.#descriptor !== closed) closeSync(this.#descriptor)
    this.#descriptor = closed
  }

  #remove(): void {
    for (const remove of [() => unlinkSync(this.address), () => rmdirSync(dirname(this.address))]) {
      try {
        remove()
      } catch {
        // It did not come to be.
      }
    }
  }
}

/** O_PATH, which Node does not name: a descriptor that leads to a file and cannot read it. // asm-generic/fcntl.h */
const pathOnly = 0o10000000

const closed = -1
