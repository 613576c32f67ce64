import { fileAttacks } from './attacks/files.ts'
import { networkAttacks } from './attacks/network.ts'
import { privilegeAttacks } from './attacks/privileges.ts'
import { processAttacks } from './attacks/processes.ts'
import type { Attack, AttackTarget } from './attack.ts'

/** Every attack program. Nothing may get through. */
const attacks: readonly Attack[] = [...fileAttacks, ...networkAttacks, ...processAttacks, ...privilegeAttacks]

export { type Attack, type AttackTarget, attacks }
export { javascriptPrograms, structuredValues } from './runtime/javascript-programs.ts'
export type { Program, RuntimePrograms, RuntimeSubject, RuntimeUnderTest, SandboxOptions } from './runtime/subject.ts'
export { testRuntime } from './runtime/test-runtime.ts'
export type { ContainerUnderTest, SandboxUnderTest } from './sandbox-under-test.ts'
export type { TestFramework } from './suite.ts'
