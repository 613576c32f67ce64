import { type Instruction, jumps, opcodes } from './bpf.ts'
import { actions, auditArchitectures, offsets } from './filter.ts'
import type { Architecture } from './syscall-numbers.ts'

/** A system call as a filter sees it. */
export interface SimulatedCall {
  readonly number: number
  /** Six at most; missing ones are zero. */
  readonly args?: readonly bigint[]
  /** The architecture that the call is made for; a number stands for a foreign one. */
  readonly architecture: Architecture | number
}

/** What the kernel would do with it. */
export type SimulatedAction = 'allow' | 'kill' | 'notify' | { readonly error: number }

/** Runs a filter as the kernel does. Throws when the program is none that the kernel would take. */
export function simulate(program: readonly Instruction[], call: SimulatedCall): SimulatedAction {
  const data = layOut(call)
  let accumulator = 0
  for (let at = 0; at < program.length; at++) {
    const { code, k, jumpTrue, jumpFalse } = program[at] as Instruction
    if (code === opcodes.load) {
      if (k % 4 !== 0) throw new RangeError(`The load at ${at} is not aligned`)
      accumulator = data.getUint32(k, true)
    } else if (code === opcodes.and) accumulator = (accumulator & k) >>> 0
    else if (code === opcodes.return) return actionOf(k)
    else at += holds(code, accumulator, k) ? jumpTrue : jumpFalse
  }
  throw new RangeError('The program ends without a return')
}

function holds(code: number, accumulator: number, k: number): boolean {
  if (code === jumps.eq) return accumulator === k
  if (code === jumps.ge) return accumulator >= k
  if (code === jumps.set) return (accumulator & k) !== 0
  throw new RangeError(`0x${code.toString(16)} is no instruction of this assembler`)
}

/** struct seccomp_data */
function layOut({ number, args = [], architecture }: SimulatedCall): DataView {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(offsets.number, number >>> 0, true)
  data.setUint32(offsets.architecture, typeof architecture === 'number' ? architecture : auditArchitectures[architecture], true)
  for (const [index, value] of args.entries()) data.setBigUint64(offsets.low(index), BigInt.asUintN(64, value), true)
  return data
}

function actionOf(value: number): SimulatedAction {
  if (value === actions.allow) return 'allow'
  if (value === actions.notify) return 'notify'
  if (value === actions.kill) return 'kill'
  if ((value & 0xffff0000) === actions.fail) return { error: value & 0xffff }
  throw new RangeError(`0x${value.toString(16)} is no action of this compiler`)
}
