export { QuickJsConfineRuntime as default } from './runtime.ts'
