import { fileAttacks } from './attacks/files.ts'
import { networkAttacks } from './attacks/network.ts'
import { privilegeAttacks } from './attacks/privileges.ts'
import { processAttacks } from './attacks/processes.ts'
import type { Attack } from './attack.ts'

/** Every attack program. Nothing may get through. */
export const attacks: readonly Attack[] = [...fileAttacks, ...networkAttacks, ...processAttacks, ...privilegeAttacks]
