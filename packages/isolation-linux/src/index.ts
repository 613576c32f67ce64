export { linux, type LinuxOptions } from './linux.ts'
export type { Machine } from './machine.ts'
