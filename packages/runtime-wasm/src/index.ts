export { WasmConfineRuntime as default } from './runtime.ts'
