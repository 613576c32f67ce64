export { JsEvalConfineRuntime as default } from './runtime.ts'
