import { bundle, library } from '../../tsup.base.ts'

export default [library(), bundle('src/spawner/entry.ts')]
