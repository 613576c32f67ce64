export { createRuntime, type CreateRuntimeOptions } from './create-runtime.ts'
