import { runtimeLibrary } from '../../tsup.base.ts'

export default runtimeLibrary()
