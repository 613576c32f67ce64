import { type Instruction, jumps, opcodes } from './bpf.ts'
import { actions, auditArchitectures, offsets } from './filter.ts'
import { type Architecture, syscallName } from './syscall-numbers.ts'

/** A filter as text, one instruction a line, for people and for comparing. Jumps name the line that they lead to. */
export function disassemble(program: readonly Instruction[], architecture: Architecture): string {
  let loaded = ''
  const lines = program.map(({ code, k, jumpTrue, jumpFalse }, at) => {
    const to = (jump: number) => (jump === 0 ? 'next' : `${at + 1 + jump}`)
    if (code === opcodes.load) {
      loaded = fieldName(k)
      return `load   ${loaded}`
    }
    if (code === opcodes.and) return `and    0x${k.toString(16)}`
    if (code === opcodes.return) return `return ${actionName(k)}`
    const test = Object.entries(jumps).find(([, opcode]) => opcode === code)?.[0] ?? `0x${code.toString(16)}`
    return `${test.padEnd(6)} ${constantName(k, loaded, architecture)} ? ${to(jumpTrue)} : ${to(jumpFalse)}`
  })
  return `${lines.map((line, at) => `${String(at).padStart(3)}  ${line}`).join('\n')}\n`
}

function fieldName(offset: number): string {
  if (offset === offsets.number) return 'number'
  if (offset === offsets.architecture) return 'architecture'
  const argument = Math.floor((offset - offsets.low(0)) / 8)
  return `argument ${argument} ${offset === offsets.low(argument) ? 'low' : 'high'}`
}

function constantName(k: number, loaded: string, architecture: Architecture): string {
  if (loaded === 'number' && k < 0x40000000) return syscallName(k, architecture)
  if (loaded === 'architecture' && k === auditArchitectures[architecture]) return architecture
  return `0x${k.toString(16)}`
}

function actionName(value: number): string {
  const name = Object.entries(actions).find(([, action]) => action === value)?.[0]
  return name ?? `fail ${value & 0xffff}`
}
