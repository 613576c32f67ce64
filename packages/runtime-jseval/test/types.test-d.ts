import type { AbstractConfineRuntime, ApiDescription, RuntimeClass } from '@confine-sandbox/contract'
import { expectTypeOf } from 'vitest'
import JsEvalConfineRuntime from '../src/index.ts'

expectTypeOf(JsEvalConfineRuntime).toExtend<RuntimeClass>()
expectTypeOf<JsEvalConfineRuntime>().toExtend<AbstractConfineRuntime>()
expectTypeOf<ConstructorParameters<typeof JsEvalConfineRuntime>>().toEqualTypeOf<[options?: JsEvalConfineRuntime.Options]>()
expectTypeOf<JsEvalConfineRuntime['describeAPI']>().returns.toEqualTypeOf<ApiDescription>()
expectTypeOf<JsEvalConfineRuntime['handleAPICall']>().returns.resolves.toBeUnknown()
// @ts-expect-error the path is text
new JsEvalConfineRuntime({ source: '', path: 5 })
