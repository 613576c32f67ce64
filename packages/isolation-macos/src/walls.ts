import type { PolicyPart, Walls } from '@confine-sandbox/contract'

/**
 * What holds each part by itself. Seatbelt is one mechanism, and so one wall, however much it denies; limits of processes and of
 * file sizes stop some acts a second time, and hold no part alone.
 */
export function wallsOf(hardened: boolean): Walls {
  const seatbelt = ['seatbelt'] as const
  return {
    files: seatbelt,
    network: seatbelt,
    processes: seatbelt,
    privileges: seatbelt,
    syscalls: hardened ? seatbelt : [],
  } satisfies Record<PolicyPart, readonly string[]>
}

/** The most there is of each: the default bar of a sandbox asks for no more here. A list of system calls comes with `hardened` alone. */
export function mostWalls(hardened: boolean): Readonly<Record<PolicyPart, number>> {
  return { files: 1, network: 1, processes: 1, privileges: 1, syscalls: hardened ? 1 : 0 }
}
