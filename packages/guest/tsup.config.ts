import { bundle, library } from '../../tsup.base.ts'

export default [library(), bundle('src/entry.ts'), bundle('src/program.ts')]
