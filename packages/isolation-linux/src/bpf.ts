/** One instruction of the kernel's classic BPF machine, as `struct sock_filter`. linux/filter.h */
export interface Instruction {
  readonly code: number
  readonly jumpTrue: number
  readonly jumpFalse: number
  readonly k: number
}

/** One line of a program in which jumps name their targets. A jump without one goes on with the next line. */
export type Line =
  | { readonly label: string }
  | { readonly load: number }
  | { readonly and: number }
  | { readonly jump: keyof typeof jumps; readonly k: number; readonly yes?: string; readonly no?: string }
  | { readonly return: number }

/** Turns lines into instructions. */
export function assemble(lines: readonly Line[]): readonly Instruction[] {
  const labels = new Map<string, number>()
  let count = 0
  for (const line of lines) {
    if ('label' in line) labels.set(line.label, count)
    else count++
  }
  const instructions: Instruction[] = []
  const distance = (label: string | undefined) => {
    if (label === undefined) return 0
    const to = (labels.get(label) ?? Number.NaN) - instructions.length - 1
    if (!(to >= 0 && to <= maxJump)) throw new RangeError(`The jump to ${label} does not reach: ${to} instructions`)
    return to
  }
  for (const line of lines) {
    if ('label' in line) continue
    else if ('load' in line) instructions.push(plain(opcodes.load, line.load))
    else if ('and' in line) instructions.push(plain(opcodes.and, line.and))
    else if ('return' in line) instructions.push(plain(opcodes.return, line.return))
    else instructions.push({ code: jumps[line.jump], k: line.k >>> 0, jumpTrue: distance(line.yes), jumpFalse: distance(line.no) })
  }
  return instructions
}

/** The bytes of a program as the kernel takes them: `struct sock_filter[]`, little-endian. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, jumpTrue, jumpFalse, k }] of program.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jumpTrue)
    view.setUint8(index * 8 + 3, jumpFalse)
    view.setUint32(index * 8 + 4, k, true)
  }
  return bytes
}

/** BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K */
export const opcodes = Object.freeze({ load: 0x20, and: 0x54, return: 0x06 })

/** BPF_JMP with JEQ, JGE and JSET, against a constant. */
export const jumps = Object.freeze({ eq: 0x15, ge: 0x35, set: 0x45 })

const maxJump = 255

function plain(code: number, k: number): Instruction {
  return { code, k: k >>> 0, jumpTrue: 0, jumpFalse: 0 }
}
