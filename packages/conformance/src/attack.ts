import type { PolicyPart } from '@confine-sandbox/contract'

/**
 * One act that a hostile program tries. Its source is a CommonJS program for a JavaScript runtime with Node's modules
 * (jseval); it exports `attempt(target)`, which resolves with what it got when the act worked and throws when it was
 * refused. Every attack is half of a pair: it must work without isolation, or its refusal proves nothing.
 */
export interface Attack {
  /** A stable name: `read-file`. */
  readonly id: string
  /** The act, as the end of "a guest tries to …". */
  readonly act: string
  /** The part of a policy that must hold it. */
  readonly part: PolicyPart
  /** Run the control where there is no network: the act is aimed outside. */
  readonly isAimedOutside?: boolean
  readonly source: string
}

/** What the attacks aim at: harmless things that the tester has put there. */
export interface AttackTarget {
  /** A readable file of the host. */
  readonly file: string
  /** A directory of the host with at least one entry, where files may be made. */
  readonly directory: string
  /** A TCP port on 127.0.0.1 where something listens. */
  readonly port: number
  /** A UDP port on 127.0.0.1 where a name server says of every name that there is none. */
  readonly nameServerPort: number
  /** The path of a unix socket where something listens. */
  readonly unixSocket: string
  /** A process of the host that the tester may lose. */
  readonly pid: number
}
