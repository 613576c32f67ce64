import { fileURLToPath } from 'node:url'

/** Absolute path of the spawner's program: `spawner/entry.ts`, bundled into one file. */
export const spawnerEntry: string = fileURLToPath(new URL('../dist/entry.cjs', import.meta.url))
