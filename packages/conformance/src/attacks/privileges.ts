import type { Attack } from '../attack.ts'

export const privilegeAttacks: readonly Attack[] = [
  {
    id: 'change-user',
    act: 'change its user id',
    part: 'privileges',
    source: `exports.attempt = () => { process.setuid(process.getuid()); return 'set' }`,
  },
  {
    id: 'raise-priority',
    act: "change a process's priority",
    part: 'privileges',
    source: `exports.attempt = () => { require('node:os').setPriority(0, 1); return 'set' }`,
  },
  {
    id: 'change-directory',
    act: 'change its working directory',
    part: 'files',
    source: `exports.attempt = ({ directory }) => { process.chdir(directory); return 'changed' }`,
  },
]
