/** How many bytes `isForeign` asks for. */
export const headerBytes = 20

/**
 * Whether a file is a program for another machine, or none at all. The kernel refuses these, and libuv's execvp() then
 * hands them to a shell, which takes them for a script.
 */
export function isForeign(header: Uint8Array, architecture: string): boolean {
  if (header[0] === '#'.charCodeAt(0) && header[1] === '!'.charCodeAt(0)) return false
  const isElf = header.length >= headerBytes && magic.every((byte, at) => header[at] === byte)
  return !isElf || machines[architecture] !== (header[18] ?? 0) + 256 * (header[19] ?? 0)
}

/** elf(5) */
const magic = [0x7f, 0x45, 0x4c, 0x46]
/** EM_X86_64, EM_AARCH64 */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
