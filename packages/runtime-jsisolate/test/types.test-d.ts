import type { AbstractConfineRuntime, ApiDescription, RuntimeClass } from '@confine-sandbox/contract'
import { expectTypeOf } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'

expectTypeOf(JsIsolateConfineRuntime).toExtend<RuntimeClass>()
expectTypeOf<JsIsolateConfineRuntime>().toExtend<AbstractConfineRuntime>()
expectTypeOf<ConstructorParameters<typeof JsIsolateConfineRuntime>>().toEqualTypeOf<[options?: JsIsolateConfineRuntime.Options]>()
expectTypeOf<JsIsolateConfineRuntime.Options['module']>().toEqualTypeOf<'cjs' | 'esm' | undefined>()
expectTypeOf<JsIsolateConfineRuntime['describeAPI']>().returns.toEqualTypeOf<ApiDescription>()
// @ts-expect-error there are two environments
new JsIsolateConfineRuntime({ source: '', env: 'browser' })
