import { library, program } from '../../tsup.base.ts'

export default [library(), program('src/command/main.ts', 'dist/command')]
