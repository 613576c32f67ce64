/** What the host asks the spawner for. */
export type Order =
  /** First of all: `address` is a path in a directory that this user alone enters. */
  | { readonly kind: 'listen'; readonly address: string; readonly secret: string }
  /** The path is gone; the host reaches the socket by a descriptor. */
  | { readonly kind: 'hidden' }
  | {
      readonly kind: 'launch'
      readonly id: number
      readonly file: string
      readonly args: readonly string[]
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      /** How many connections become the process's descriptors, from 1 on. */
      readonly sockets: number
    }
  | { readonly kind: 'kill'; readonly id: number; readonly signal: NodeJS.Signals }
  /** A connection of a launch was lost. One that has started goes on. */
  | { readonly kind: 'cancel'; readonly id: number }

/** What the spawner tells of its processes. */
export type Report =
  | { readonly kind: 'listening' }
  /** Of a `kill`: it was heard. */
  | { readonly kind: 'heard'; readonly id: number }
  | { readonly kind: 'spawned'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string | undefined; readonly message: string }
  | { readonly kind: 'exited'; readonly id: number; readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** Begins each connection to the spawner: the secret, the number of the launch, the number of the descriptor. */
export const secretBytes = 32
export const headerBytes = secretBytes + 5

/** The bytes that say which descriptor of which launch a connection is to become. */
export function header(secret: Uint8Array, id: number, descriptor: number): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  bytes.set(secret)
  bytes.writeUInt32LE(id, secretBytes)
  bytes.writeUInt8(descriptor, secretBytes + 4)
  return bytes
}
