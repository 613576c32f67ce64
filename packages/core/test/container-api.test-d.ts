import { expectTypeOf } from 'vitest'
import type { Container, ContainerApi } from '../src/index.ts'

interface Plugin {
  add(a: number, b: number): number
  later(name: string): Promise<{ readonly name: string }>
  readonly math: { readonly deep: { twice(n: number): number } }
  readonly version: string
}

declare const api: ContainerApi<Plugin>
expectTypeOf(api.add).toEqualTypeOf<(a: number, b: number) => Promise<number>>()
expectTypeOf(api.later).toEqualTypeOf<(name: string) => Promise<{ readonly name: string }>>()
expectTypeOf(api.math.deep.twice).returns.toEqualTypeOf<Promise<number>>()
// @ts-expect-error what is no function has no place in it
void api.version
// @ts-expect-error it takes numbers
void api.add('1', 2)
expectTypeOf<Container['api']['anything']>().toBeAny()
