export { JsIsolateConfineRuntime as default } from './runtime.ts'
