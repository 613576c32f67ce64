import { runtimeBundle, runtimeLibrary } from '../../tsup.base.ts'

export default [runtimeLibrary(), runtimeBundle()]
